import { randomBytes } from 'node:crypto'
import { basename, join } from 'node:path'
import { failure, type Disk, type ImageRecord, type MachineDefinition, type ParsedInputOf, type Snapshot, type SnapshotRecord } from '#contract'
import type { Context } from '../context'
import { fingerprint } from '../disk/fingerprint'
import { filesOf } from '../disk/images'
import { diskSpace, ensurePrivateFolder, exists, fileFacts, hashFile, linkOrCopyBig, removeTree, syncFile, writeJsonAtomic } from '../host/files'
import { snapshotPaths, type SnapshotPaths } from '../library/paths'
import type { Work } from '../task/work'
import { BundleReader, type BundleHead } from './bundle'
import { printOf } from './export'
import { loadProblem } from './snapshots'

/** An image that the snapshot stands on: one of this library, or one that comes with it. */
type Ground = { kind: 'here'; image: ImageRecord } | { kind: 'inside'; given: ImageRecord; folder: string }

/** `snapshot.import`. What is in the file was written by somebody: no path in it is followed, every name is one that it may have. */
export async function importSnapshot(input: ParsedInputOf<'snapshot.import'>, context: Context, work: Work): Promise<Snapshot> {
  const reader = await BundleReader.open(input.file)
  try {
    const { head } = reader
    const id = input.anew ? `${Date.now().toString(36)}-${randomBytes(3).toString('hex')}` : head.record.id
    requireUsable({ ...head.record, id }, input.file, context)
    requireSound(head, input.file)
    const kernel = await kernelOf(head, input.kernel)
    const grounds = await groundsOf(head, context, work)
    const folder = await context.library.unfinished()
    work.onUndo(() => removeTree(folder))
    const paths = snapshotPaths(folder)
    await requireRoom(head, folder, context)
    await ensurePrivateFolder(paths.disks)
    if (head.beside) await bringMemory(head.beside, input, paths, work)
    work.phase('unpacking')
    const total = head.files.reduce((sum, { dataBytes }) => sum + dataBytes, 0)
    let done = 0
    await reader.extract(targets(folder, grounds), { signal: work.signal, onBytes: (bytes) => work.progress(Math.min(1, (done += bytes) / Math.max(1, total))) })
    await syncFile(paths.disks)
    const images = await settle(grounds, context, work)
    const bootId = head.images.find((image) => image.record.boot?.kernel === head.record.definition.kernel?.kernel)?.record.id
    const record = await localised({ ...head.record, id }, { kernel: kernel ?? images.get(bootId ?? '')?.boot ?? null, images, paths }, context)
    await writeJsonAtomic(paths.record, record)
    work.pointOfNoReturn()
    await context.snapshots.add(record, folder)
    return await context.snapshots.tell(record)
  } finally {
    await reader.close()
  }
}

/** Before anything is unpacked. @throws unsupported with the reason, already-exists */
function requireUsable(record: SnapshotRecord, file: string, { snapshots, host }: Context): void {
  const problem = loadProblem(record, host.value)
  if (problem) throw failure('unsupported', `The snapshot “${record.name}” in “${file}” cannot be used here: ${problem}.`, { next: 'Import it on a computer that has what it needs.' })
  if (!snapshots.has(record.id)) return
  throw failure('already-exists', `The snapshot “${record.name}” is here already.`, { what: 'snapshot', name: record.name, next: 'Use that one, or remove it first.' })
}

const LAYER = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

/** All that the record names has to be in the file, and by a plain name. @throws bad-file */
function requireSound({ record, files, beside, images }: BundleHead, path: string): void {
  const names = new Set(files.map(({ name }) => name))
  const layers = record.definition.disks.flatMap((disk) => disk.layers.map(({ file }) => file))
  const inside = images.flatMap((image, i) => (image.inside ? filesOf(image.record).map((file) => `images/${i}/${basename(file)}`) : []))
  const needed = [...layers.map((file) => `disks/${file}`), ...(record.memory ? ['devices', ...(beside ? [] : ['ram'])] : []), ...inside]
  const missing = needed.find((name) => !names.has(name))
  const odd = layers.find((file) => !LAYER.test(file)) ?? images.find(({ record: { id } }) => !/^[a-z0-9][a-z0-9-]*$/.test(id))?.record.id
  if (missing === undefined && odd === undefined && names.size === files.length) return
  throw failure('bad-file', `“${path}” cannot be used: ${missing === undefined ? 'it has names that no snapshot has' : `“${missing}” is not in it`}.`, { path, next: 'Export the snapshot again.' })
}

/** A kernel that is no image's is not in the file, and is named by whoever imports: the path in the file is of no account. */
async function kernelOf({ record, images }: BundleHead, given: string | undefined): Promise<MachineDefinition['kernel']> {
  const { kernel } = record.definition
  if (!kernel || images.some((image) => image.record.boot?.kernel === kernel.kernel)) return null
  if (given === undefined) throw failure('bad-input', `The machine was booted with the kernel “${kernel.kernel}”, which is not in the file.`, { field: 'kernel', next: 'Name it.' })
  if (!(await exists(given))) throw failure('not-found', `“${given}” does not exist.`, { what: 'file', name: given })
  return { kernel: given, commandLine: kernel.commandLine }
}

async function groundsOf({ images }: BundleHead, context: Context, work: Work): Promise<Ground[]> {
  const grounds: Ground[] = []
  for (const { record: given, print, inside } of images) {
    const image = context.images.recorded().find((one) => one.id === given.id)
    if (image) {
      await context.images.verify(image)
      if (JSON.stringify(printOf(await fingerprint(image.path))) !== JSON.stringify(print)) {
        throw failure('bad-file', `The image “${image.name}” here is another one than that which the snapshot stands on.`, { path: image.path, next: 'Remove it first, if nothing needs it.' })
      }
      grounds.push({ kind: 'here', image })
    } else if (inside) {
      const folder = await context.library.unfinished()
      work.onUndo(() => removeTree(folder))
      grounds.push({ kind: 'inside', given, folder })
    } else {
      throw failure('not-found', `The snapshot stands on the image “${given.name}” (${given.id}), which is not here and not in the file.`, { what: 'image', name: given.name, next: 'Export it again together with its images.' })
    }
  }
  return grounds
}

async function requireRoom({ files, beside }: BundleHead, folder: string, { library }: Context): Promise<void> {
  const bytes = files.reduce((sum, { dataBytes }) => sum + dataBytes, beside ? 2 ** 20 : 0)
  const { freeBytes } = await diskSpace(folder)
  if (freeBytes >= bytes) return
  throw failure('no-space', `This needs ${Math.ceil(bytes / 2 ** 20)} MiB of space, and ${Math.floor(freeBytes / 2 ** 20)} MiB are free.`, { path: library.paths.root, next: 'Free some space and try again.' })
}

/** The very file that was written is told by its size and time; any other has to have the same content. @throws bad-file, bad-input */
async function bringMemory(beside: NonNullable<BundleHead['beside']>, { file, memory }: { file: string; memory?: string | undefined }, paths: SnapshotPaths, work: Work): Promise<void> {
  if (memory === undefined) throw failure('bad-input', `The memory of the snapshot in “${file}” is in a file of its own.`, { field: 'memory', next: 'Name that file, too.' })
  work.phase('bringing memory')
  const { sizeBytes, modifiedAtMs } = await fileFacts(memory)
  const same = sizeBytes === beside.sizeBytes && (modifiedAtMs === beside.modifiedAtMs || (await hashFile(memory, work.signal)) === beside.sha256)
  if (!same) throw failure('bad-file', `“${memory}” is not the memory that belongs to “${file}”.`, { path: memory, next: 'Name the file that was written together with it.' })
  await linkOrCopyBig(memory, paths.ram, work.signal)
}

/** Where each file of the bundle goes; what is here already is left out. */
function targets(folder: string, grounds: readonly Ground[]): (name: string) => string | null {
  return (name) => {
    const [, index, file] = /^images\/(\d+)\/(.+)$/.exec(name) ?? []
    if (index === undefined) return join(folder, name)
    const ground = grounds[Number(index)]
    return ground?.kind === 'inside' ? join(ground.folder, file!) : null
  }
}

/** Images that came with it become the library's. */
async function settle(grounds: readonly Ground[], { images }: Context, work: Work): Promise<Map<string, ImageRecord>> {
  const settled = new Map<string, ImageRecord>()
  for (const ground of grounds) {
    if (ground.kind === 'here') {
      settled.set(ground.image.id, ground.image)
      continue
    }
    const image = await images.adopt(ground.given, ground.folder)
    work.onUndo(() => images.remove(image.id).then(() => {}))
    settled.set(image.id, image)
  }
  return settled
}

interface Local {
  kernel: MachineDefinition['kernel']
  images: ReadonlyMap<string, ImageRecord>
  paths: SnapshotPaths
}

/** The record as it is true here: no path of another computer is left in it. */
async function localised(record: SnapshotRecord, { kernel, images, paths }: Local, { snapshots }: Context): Promise<SnapshotRecord> {
  const { definition } = record
  const imageOf = (id: string): ImageRecord => {
    const image = images.get(id)
    if (image) return image
    throw failure('bad-file', `The snapshot “${record.name}” stands on the image ${id}, of which its file says nothing.`, { path: paths.root })
  }
  const disks: Disk[] = []
  for (const disk of definition.disks) {
    const layers: Disk['layers'] = []
    for (const layer of disk.layers) layers.push({ ...layer, frozen: await fingerprint(paths.disk(layer.file)) })
    const image = disk.image && imageOf(disk.image.imageId)
    disks.push({ ...disk, layers, image: image && { path: image.path, format: image.format, imageId: image.id }, undone: [], pending: null, garbage: [] })
  }
  const cdroms = definition.cdroms.map(({ imageId }) => ({ path: imageOf(imageId).path, imageId }))
  const memory = record.memory && { ...record.memory, ram: { sizeBytes: record.memory.ram.sizeBytes, modifiedAtMs: (await fileFacts(paths.ram)).modifiedAtMs } }
  return {
    ...record,
    parentId: snapshots.has(record.parentId ?? undefined) ? record.parentId : null,
    definition: { ...definition, kernel: definition.kernel && kernel && { ...kernel, commandLine: definition.kernel.commandLine }, disks, cdroms },
    memory
  }
}
