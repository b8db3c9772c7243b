import { basename, extname, normalize } from 'node:path'
import { failure, Name, type ImageFormat, type ParsedInputOf } from '#contract'
import { copyBig, fileFacts, makeReadOnly, type FileFacts } from '../host/files'
import { peek } from '../host/peek'
import type { Work } from '../task/work'
import { readChain, standsAlone, type Layer } from './chain'
import { checkImage, convertImage, imageInfo, type ImageInfo } from './qemu-img'
import { END_BYTES, recognise, START_BYTES, type Recognised } from './recognise'

/** A file that was found good to be brought in. */
export interface Examined extends Recognised {
  /** Absolute. */
  path: string
  image: Layer
  info: ImageInfo
  facts: FileFacts
  /** How it is brought in: an image of several files, or that stands on others, becomes one file. */
  how: 'reference' | 'copy' | 'flatten'
}

/**
 * Looks at a file without changing it, and refuses what cannot be used.
 * @throws not-found, file, bad-file (with qemu-img's words), bad-input, unsupported, in-use, cancelled
 */
export async function examine(input: ParsedInputOf<'image.import'>, work: Work): Promise<Examined> {
  const path = normalize(input.path)
  work.phase('looking at the file')
  const recognised = recognise(path, basename(path), await peek(path, START_BYTES, END_BYTES), input)
  const facts = await fileFacts(path)
  const image = await readChain(path, recognised.format)
  const alone = standsAlone(image)
  if (input.reference && !alone) {
    throw failure('unsupported', `“${path}” needs other files and cannot be used where it is.`, { next: 'Import it as a copy: the copy is one file.' })
  }
  work.phase('checking the image')
  const info = await imageInfo(image)
  if (info.virtualSizeBytes === 0) throw failure('bad-file', `“${path}” is a disk of no size.`, { path })
  for (let layer: Layer | null = image; layer; layer = layer.backing) await checkImage(layer, work)
  return { ...recognised, path, image, info, facts, how: input.reference ? 'reference' : alone ? 'copy' : 'flatten' }
}

/** Name and format of the file that an examined image gets in the library. */
export function targetOf({ kind, format, how }: Pick<Examined, 'kind' | 'format' | 'how'>): { file: string; format: ImageFormat } {
  const kept = how === 'flatten' ? 'qcow2' : format
  return { file: kind === 'iso' ? 'image.iso' : `image.${kept === 'vpc' ? 'vhd' : kept}`, format: kept }
}

/**
 * Copies an examined image to a new read-only file. The original is only read.
 * @throws no-space, cancelled, bad-file (it changed meanwhile)
 */
export async function copyIn(examined: Examined, to: string, work: Work): Promise<ImageInfo> {
  const { format } = targetOf(examined)
  work.phase('copying the image')
  if (examined.how === 'flatten') {
    work.log('it needs other files: they become one')
    await convertImage(examined.image, { path: to, format }, work)
  } else {
    await copyBig(examined.path, to, { signal: work.signal, onProgress: (ratio) => work.progress(ratio) })
  }
  const { sizeBytes, modifiedAtMs } = await fileFacts(examined.path)
  if (sizeBytes !== examined.facts.sizeBytes || modifiedAtMs !== examined.facts.modifiedAtMs) {
    throw failure('bad-file', `“${examined.path}” was changed while it was copied.`, { path: examined.path, next: 'Try again when nothing writes to it any more.' })
  }
  await makeReadOnly(to)
  return imageInfo({ path: to, format })
}

/** The file's name without its ending, as a name. */
export function nameFrom(path: string): string {
  const plain = basename(path, extname(path)).normalize('NFC').replace(/[^\p{L}\p{M}\p{N}._-]+/gu, ' ')
  const parsed = Name.safeParse(plain.slice(0, 60).replace(/^[^\p{L}\p{N}]+|[ .]+$/gu, ''))
  return parsed.success ? parsed.data : 'image'
}

/** A name in the letters that are safe everywhere. */
export const slug = (name: string): string =>
  name.normalize('NFKD').toLowerCase().replace(/[^a-z0-9]+/g, '-').slice(0, 32).replace(/^-+|-+$/g, '') || 'image'
