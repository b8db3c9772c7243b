import { basename, dirname } from 'node:path'
import { failure, type ImageRecord, type MachineDefinition, type ParsedInputOf, type ResultOf, type SnapshotRecord } from '#contract'
import type { Context } from '../context'
import { fingerprint } from '../disk/fingerprint'
import { filesOf } from '../disk/images'
import { exists, fileFacts, hashFile, isFolder, linkOrCopyBig, removeFile, takePlace } from '../host/files'
import type { SnapshotPaths } from '../library/paths'
import type { Work } from '../task/work'
import { BundleWriter, type BundleHead } from './bundle'
import { requireSound } from './verify'

interface Content {
  name: string
  path: string
}

/** `snapshot.export` */
export async function exportSnapshot(input: ParsedInputOf<'snapshot.export'>, context: Context, work: Work): Promise<ResultOf<'snapshot.export'>> {
  const record = context.snapshots.get(input.snapshot)
  for (const path of [input.file, ...(input.memory ? [input.memory] : [])]) await requireFree(path, input.replace)
  work.phase('checking the snapshot')
  await requireSound(record, context, work.signal)
  const paths = context.snapshots.paths(record.id)
  const memory = record.memory && input.memory ? await writeMemory(record, paths, input.memory, work) : null
  const images = imagesOf(record.definition, context)
  const contents = [...(await ownFiles(record, paths, memory === null)), ...(input.images ? images.flatMap((image, i) => filesOf(image).map((path) => ({ name: `images/${i}/${basename(path)}`, path }))) : [])]
  const head: BundleHead = {
    schemaVersion: 1,
    record: withoutArchive(record),
    beside: memory,
    images: await Promise.all(images.map(async (image) => ({ record: image, print: printOf(await fingerprint(image.path)), inside: input.images }))),
    files: await Promise.all(contents.map(async ({ name, path }) => ({ name, ...sizesOf(await fileFacts(path)) })))
  }
  work.phase('writing the file')
  await writeBundle(input.file, head, contents, work)
  if (input.memory && memory) await takePlace(part(input.memory), input.memory)
  const { sizeBytes } = await fileFacts(input.file)
  return { file: input.file, memory: memory ? (input.memory ?? null) : null, sizeBytes }
}

const part = (path: string): string => `${path}.part`
const sizesOf = ({ sizeBytes, allocatedBytes }: { sizeBytes: number; allocatedBytes: number }) => ({ sizeBytes, dataBytes: Math.min(sizeBytes, allocatedBytes) })
export const printOf = ({ sizeBytes, headSha256 }: { sizeBytes: number; headSha256: string }) => ({ sizeBytes, headSha256 })

function withoutArchive({ archive: _here, ...record }: SnapshotRecord): SnapshotRecord {
  return record
}

/** @throws not-found when the folder is not there, bad-file when it is itself a folder, already-exists */
async function requireFree(path: string, replace: boolean): Promise<void> {
  const folder = dirname(path)
  if (!(await isFolder(folder))) throw failure('not-found', `The folder “${folder}” does not exist.`, { what: 'folder', name: folder, next: 'Make it first, or choose another one.' })
  if (await isFolder(path)) throw failure('bad-file', `“${path}” is a folder.`, { path, next: 'Add the name that the file is to have.' })
  if (replace || !(await exists(path))) return
  throw failure('already-exists', `“${path}” exists already.`, { what: 'file', name: path, next: 'Choose another name, or say that it may be replaced.' })
}

async function ownFiles({ definition, memory }: SnapshotRecord, paths: SnapshotPaths, withMemory: boolean): Promise<Content[]> {
  const layers = definition.disks.flatMap((disk) => disk.layers.map(({ file }) => ({ name: `disks/${file}`, path: paths.disk(file) })))
  const wanted = [
    ...(memory ? [{ name: 'devices', path: paths.devices }] : []),
    ...(memory && withMemory ? [{ name: 'ram', path: paths.ram }] : []),
    { name: 'screen.png', path: paths.screen },
    { name: 'uefi-variables.fd', path: paths.uefiVariables }
  ]
  const there = await Promise.all(wanted.map(({ path }) => exists(path)))
  return [...wanted.filter((_, i) => there[i]), ...layers]
}

/** The images of the library that a machine stands on. */
function imagesOf({ disks, cdroms, kernel }: MachineDefinition, { images }: Context): ImageRecord[] {
  const needed = new Set([...disks.flatMap((disk) => (disk.image ? [disk.image.imageId] : [])), ...cdroms.map((cdrom) => cdrom.imageId)])
  return images.recorded().filter((image) => needed.has(image.id) || (kernel !== null && image.boot?.kernel === kernel.kernel))
}

/** As another name for the same file where that is possible: nothing writes to it. */
async function writeMemory({ memory }: SnapshotRecord, { ram }: SnapshotPaths, file: string, work: Work): Promise<NonNullable<BundleHead['beside']>> {
  work.phase('writing memory')
  await removeFile(part(file)) // of one that was cut off
  work.onUndo(() => removeFile(part(file)))
  await linkOrCopyBig(ram, part(file), work.signal)
  const { modifiedAtMs } = await fileFacts(part(file))
  return { sizeBytes: memory!.ram.sizeBytes, modifiedAtMs, sha256: await hashFile(part(file), work.signal) }
}

/** Under another name first: the file is whole from the moment that it has its own. */
async function writeBundle(file: string, head: BundleHead, contents: readonly Content[], work: Work): Promise<void> {
  await removeFile(part(file))
  work.onUndo(() => removeFile(part(file)))
  const writer = await BundleWriter.create(part(file), head)
  const total = head.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  let done = 0
  const watch = { signal: work.signal, onBytes: (bytes: number) => work.progress((done += bytes) / Math.max(1, total)) }
  try {
    for (const [i, { path }] of contents.entries()) await writer.add(i, path, head.files[i]!.sizeBytes, watch)
    await writer.finish()
  } catch (error) {
    await writer.abandon()
    throw error
  }
  await takePlace(part(file), file)
}
