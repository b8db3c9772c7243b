import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { failure, ImageFormat } from '#contract'
import { exists } from '../host/files'
import { peek, realPath } from '../host/peek'
import { readHeader } from './header'
import { formatOf, START_BYTES, END_BYTES } from './recognise'

/** An image file and all that it needs, every file and format known: nothing is left for QEMU to find out. */
export interface Layer {
  path: string
  format: ImageFormat
  backing: Layer | null
  /** qcow2 whose clusters lie in another file. */
  dataFile: string | null
  /** Files beside it that hold parts of it. QEMU finds them by itself. */
  extents: string[]
}

/** Longer chains exist by mistake only: an image that stands on itself. */
const DEEPEST = 64

/** Whether an image is one file. */
export const standsAlone = (layer: Layer): boolean => layer.backing === null && layer.dataFile === null && layer.extents.length === 0

/**
 * Follows an image to everything it stands on. Only files in the folder of the image, or below it, are accepted: they came
 * with it. Others are refused, as the header of an image may name any file of this computer.
 * @throws bad-file, unsupported, not-found, file
 */
export async function readChain(path: string, format: ImageFormat, depth = 0): Promise<Layer> {
  if (depth > DEEPEST) throw failure('bad-file', `“${path}” stands on too many images, or on itself.`, { path })
  const { start, end } = await peek(path, START_BYTES, END_BYTES)
  const header = readHeader(path, format, start, end)
  if (header.encrypted) throw failure('unsupported', `“${path}” is encrypted; such images cannot be used.`, { next: 'Decrypt it first with qemu-img convert.' })
  const beside = await Promise.all(header.extents.map((name) => besideImage(path, name)))
  return {
    path,
    format,
    dataFile: header.dataFile === null ? null : await besideImage(path, header.dataFile),
    extents: beside,
    backing: header.backing ? await readBacking(path, header.backing, depth) : null
  }
}

async function readBacking(path: string, backing: { name: string; format: string | null }, depth: number): Promise<Layer> {
  const file = await besideImage(path, backing.name)
  const { start, end } = await peek(file, START_BYTES, END_BYTES)
  const format = ImageFormat.safeParse(backing.format ?? formatOf(start, end) ?? 'raw')
  if (!format.success) throw failure('unsupported', `“${path}” stands on “${file}” of format ${backing.format}, which is not supported.`, {})
  return readChain(file, format.data, depth + 1)
}

/** A name that an image's header gives, as a path. @throws unsupported when it leads out of the image's folder */
async function besideImage(image: string, name: string): Promise<string> {
  const outside = failure('unsupported', `“${image}” needs “${name}”, which is not in its folder.`, {
    next: `Put both into one folder, or make it one file: qemu-img convert -O qcow2 IMAGE NEW`
  })
  const plain = name.startsWith('file:') ? name.slice('file:'.length) : name
  if (plain === '' || /^[^/]*:/.test(plain)) throw outside // `nbd:`, `json:`, ...: QEMU would open it over the network
  const folder = dirname(await realPath(image))
  const wanted = isAbsolute(plain) ? plain : resolve(dirname(image), plain)
  if (!(await exists(wanted))) {
    throw failure('not-found', `“${image}” needs “${wanted}”, which does not exist.`, { what: 'file', name: wanted, next: 'Put both into one folder, under the name that it had.' })
  }
  const path = await realPath(wanted)
  const inside = relative(folder, path)
  if (inside.startsWith('..') || isAbsolute(inside)) throw outside
  return join(folder, inside)
}
