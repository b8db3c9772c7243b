import { dirname } from 'node:path'
import { failure, type Disk, type ImageRecord, type MachineDefinition, type ParsedInputOf, type ResultOf } from '#contract'
import { formatSize } from '#contract/format'
import type { Context } from '../context'
import { flushNode, runJob } from '../disk/block-job'
import { examine } from '../disk/import'
import { asFilename, diskNodes } from '../disk/nodes'
import { checkLayer, convertImage, convertNodes, repairLayer, rebaseLayer, resizeImage } from '../disk/qemu-img'
import { activeLayer, appliedCommits, flattened, freeDiskId, newDisk, withOverlay } from '../disk/stack'
import { copyBig, exists, fileFacts, isShared, removeFile } from '../host/files'
import type { QmpSession } from '../qmp/session'
import { throwIfCancelled, type Work } from '../task/work'
import { diskDevice } from './command-line'
import { makeDisk, makeFilesOf } from './create'
import { groundOf, wholeSectors, type DiskPlan } from './definition'
import { DiskTarget, diskTarget, reserved } from './disk-target'
import { freePort, requireInPort, requireUnmounted, unplugDevice } from './hot-plug'
import { dropNode, makeLayerFile, resizeNodes } from './layer-nodes'
import type { ManagedMachine } from './machine'
import { requireOwn } from './merge'
import type { Qemu } from './qemu'

type One = { machine: string; disk: string }
type TakeOff = { timeoutSeconds: number; force: boolean }

/** An empty disk more. */
export async function createDisk(input: ParsedInputOf<'disk.create'>, context: Context, work: Work): Promise<DiskTarget> {
  const machine = context.machines.get(input.machine)
  if (input.size === 0) throw failure('bad-input', 'A disk cannot be empty of size.', { field: 'size' })
  return addDisk(machine, context, work, (id) => ({ kind: 'empty', disk: newDisk(id, wholeSectors(input.size), null, Date.now()) }))
}

/** A disk more that stands on an image, or is a copy of one. */
export async function attachDisk(input: ParsedInputOf<'disk.attach'>, context: Context, work: Work): Promise<DiskTarget> {
  const machine = context.machines.get(input.machine)
  return context.images.use(input.image, machine.name, (image) => {
    if (image.kind === 'iso') throw failure('bad-input', `“${image.name}” is a CD, not a disk.`, { field: 'image', next: 'Choose a disk image.' })
    return addDisk(machine, context, work, (id) => {
      const sizeBytes = wholeSectors(image.virtualSizeBytes)
      if (input.copy) return { kind: 'copy', disk: newDisk(id, sizeBytes, null, Date.now()), image }
      return { kind: 'overlay', disk: newDisk(id, sizeBytes, groundOf(image), Date.now()), image }
    })
  })
}

/** A disk more, copied from a file. */
export async function importDisk(input: ParsedInputOf<'disk.import'>, context: Context, work: Work): Promise<DiskTarget> {
  const machine = context.machines.get(input.machine)
  const examined = await examine({ path: input.path, format: input.format, kind: 'disk', reference: false }, work)
  return addDisk(machine, context, work, (id) => ({ kind: 'copy', disk: newDisk(id, wholeSectors(examined.info.virtualSizeBytes), null, Date.now()), image: examined.image }))
}

/** Makes the disk's file, writes it into the record, and plugs it into a guest that runs. */
async function addDisk(machine: ManagedMachine, context: Context, work: Work, plan: (id: string) => DiskPlan): Promise<DiskTarget> {
  const release = machine.reserve('a disk is being added')
  try {
    const planned = plan(freeDiskId(machine.definition.disks))
    const target = new DiskTarget(context, machine, planned.disk.id)
    await makeFilesOf(planned.disk.id, machine.paths, work, async () => {
      await makeDisk(planned, machine.paths, work)
      throwIfCancelled(work.signal)
      if (machine.running) await plug(machine.running.qmp, target, planned.disk)
    })
    work.pointOfNoReturn()
    await redefine(machine, context, { disks: [...machine.definition.disks, planned.disk] })
    await machine.measureDisks()
    return target
  } finally {
    release()
  }
}

const redefine = (machine: ManagedMachine, { machines }: Context, change: Partial<MachineDefinition>): Promise<void> =>
  machines.redefine(machine, { ...machine.definition, ...change })

/** @throws unsupported (no free port) */
export async function plug(qmp: QmpSession, target: DiskTarget, disk: Disk): Promise<void> {
  await qmp.execute('blockdev-add', diskNodes(disk, target.pathOf) as never)
  try {
    await qmp.execute('device_add', diskDevice(disk, { bus: await freePort(qmp) }))
  } catch (error) {
    await dropNode(qmp, activeLayer(disk).nodeName)
    throw error
  }
}

/**
 * The guest is asked to let go of the device; then its nodes are closed.
 * @param force also if it has the disk mounted
 * @throws unsupported (it was there at the start), in-use (it has, and it was not forced), time-out (it keeps it; nothing has changed)
 */
async function unplug(qemu: Qemu, disk: Disk, { timeoutSeconds, force }: TakeOff, signal: AbortSignal): Promise<void> {
  const device = { device: `${disk.id}-device`, label: disk.id, signal }
  await requireInPort(qemu.qmp, device)
  if (!force) await requireUnmounted(qemu, device)
  await unplugDevice(qemu.qmp, { ...device, timeoutSeconds })
  await dropNode(qemu.qmp, activeLayer(disk).nodeName)
}

/** Takes a disk from a machine. @param keep what becomes of its files, once nobody has them open */
async function takeOff<T>(input: One & TakeOff, context: Context, work: Work, keep: (target: DiskTarget, disk: Disk) => Promise<T>): Promise<T> {
  const target = diskTarget(input, context)
  context.shares.requireUnshared(target.machine, input.disk, 'taken off')
  return reserved(target, 'is being taken off', async () => {
    const { disk, machine } = target
    if (machine.running) {
      work.phase('asking the guest to let go of it')
      await unplug(machine.running, disk, input, work.signal)
    }
    const result = await keep(target, disk)
    await redefine(machine, context, { disks: machine.definition.disks.filter((one) => one.id !== disk.id) })
    for (const layer of [...disk.layers, ...disk.undone]) await removeFile(target.pathOf(layer.file))
    await machine.measureDisks()
    return result
  })
}

/** Its content becomes an image of the library. */
export function detachDisk(input: ParsedInputOf<'disk.detach'>, context: Context, work: Work): Promise<ImageRecord> {
  return takeOff(input, context, work, async (target, disk) => {
    work.phase('keeping it as an image')
    return context.images.keep(input.name ?? `${target.machine.name} ${disk.id}`, input.name !== undefined, work, (path) => writeWhole(target, disk, { path, format: 'qcow2' }, work))
  })
}

export function removeDisk(input: ParsedInputOf<'disk.remove'>, context: Context, work: Work): Promise<ResultOf<'disk.remove'>> {
  return takeOff(input, context, work, async (target, disk) => {
    const files = [...disk.layers, ...disk.undone].map((layer) => layer.file)
    const sizes = await Promise.all(files.map((file) => bytesFreed(target.pathOf(file))))
    work.pointOfNoReturn()
    return { removed: disk.id, freedBytes: sizes.reduce((sum, one) => sum + one, 0) }
  })
}

/** What the host gets back with a file. None of one that is another's too, or that is missing: a disk that lost files can go. */
async function bytesFreed(path: string): Promise<number> {
  return (await exists(path)) && !(await isShared(path)) ? (await fileFacts(path)).allocatedBytes : 0
}

/** All that a disk holds, in one file. */
export async function writeWhole(target: DiskTarget, disk: Disk, to: { path: string; format: ImageRecord['format'] }, work: Work): Promise<void> {
  await target.requireSound()
  await convertNodes(target.pathOf(activeLayer(disk).file), asFilename(diskNodes(disk, target.pathOf)), to, work)
}

export async function exportDisk(input: ParsedInputOf<'disk.export'>, context: Context, work: Work): Promise<ResultOf<'disk.export'>> {
  const target = diskTarget(input, context)
  target.requireOff('exporting')
  await fileFacts(dirname(input.file)) // of a folder that is not there QEMU’s word is not that of the field it was typed into
  if (await exists(input.file)) throw failure('already-exists', `“${input.file}” exists already.`, { what: 'file', name: input.file, next: 'Choose another name.' })
  return reserved(target, 'is being exported', async () => {
    work.phase(`writing ${input.format}`)
    await writeWhole(target, target.disk, { path: input.file, format: input.format }, work)
    return { file: input.file, fileSizeBytes: (await fileFacts(input.file)).allocatedBytes }
  })
}

/** Larger only: a file system that is cut off is lost. */
export async function resizeDisk(input: ParsedInputOf<'disk.resize'>, context: Context, work: Work): Promise<DiskTarget> {
  const target = diskTarget(input, context)
  const sizeBytes = wholeSectors(input.size)
  const { sizeBytes: now } = target.disk
  if (sizeBytes < now) {
    throw failure('bad-input', `${target.label} has ${formatSize(now)} and cannot be made smaller: what lies beyond would be lost.`, { field: 'size', next: 'Make a smaller disk, and copy the files over in the guest.' })
  }
  return reserved(target, 'is being resized', async () => {
    const { disk, qmp } = target
    const active = activeLayer(disk)
    if (active.commit) throw failure('wrong-state', `${active.nodeName} is committed: it does not change any more.`, { name: disk.id, state: 'committed', next: 'Put an overlay on it first.' })
    await target.requireSound()
    work.pointOfNoReturn()
    if (qmp) await resizeNodes(qmp, disk, sizeBytes)
    else await resizeImage({ path: target.pathOf(active.file), format: active.format }, sizeBytes)
    await target.save({ ...disk, sizeBytes })
    return target
  })
}

export async function checkDisk(input: One, context: Context, work: Work): Promise<ResultOf<'disk.check'>> {
  const target = diskTarget(input, context)
  target.requireOff('a check')
  return reserved(target, 'is being checked', async () => {
    const files: ResultOf<'disk.check'>['files'] = []
    for (const layer of [...target.disk.layers, ...target.disk.undone]) {
      work.phase(`checking ${layer.nodeName}`)
      files.push(await checkLayer({ path: target.pathOf(layer.file), format: layer.format }, work.signal))
      throwIfCancelled(work.signal)
    }
    return { files }
  })
}

/** What is damaged is copied before anything is changed. */
export async function repairDisk(input: ParsedInputOf<'disk.repair'>, context: Context, work: Work): Promise<ResultOf<'disk.repair'>> {
  const target = diskTarget(input, context)
  target.requireOff('a repair')
  return reserved(target, 'is being repaired', async () => {
    const repaired: string[] = []
    const copies: string[] = []
    for (const layer of target.disk.layers) {
      const image = { path: target.pathOf(layer.file), format: layer.format }
      const found = await checkLayer(image, work.signal)
      if (found.problems === null && found.leakedClusters === 0) continue
      await requireOwn(target, layer)
      if (found.problems !== null && !input.leaksOnly) {
        const copy = `${image.path}.before-repair-${new Date().toISOString().replace(/[:.]/g, '-')}`
        work.phase(`copying ${layer.nodeName}`)
        await copyBig(image.path, copy, { signal: work.signal, onProgress: work.progress })
        copies.push(copy)
      }
      work.phase(`repairing ${layer.nodeName}`)
      await repairLayer(image, input.leaksOnly ? 'leaks' : 'all')
      repaired.push(image.path)
    }
    const layers = target.disk.layers.map((layer) => (repaired.includes(target.pathOf(layer.file)) ? { ...layer, frozen: null } : layer))
    await target.save({ ...target.disk, layers })
    return { repaired, copies }
  })
}

/** The lowest layer gets another image below it. What the guest reads stays the same: where the images differ, the old content is copied in. */
export async function rebaseDisk(input: ParsedInputOf<'disk.rebase'>, context: Context, work: Work): Promise<DiskTarget> {
  const target = diskTarget(input, context)
  target.requireOff('a rebase')
  return context.images.use(input.image, target.machine.name, (image) => rebaseOnto(image, target, input.moved, work))
}

function rebaseOnto(image: ImageRecord, target: DiskTarget, moved: boolean, work: Work): Promise<DiskTarget> {
  return reserved(target, 'is being rebased', async () => {
    const { disk } = target
    const lowest = disk.layers.at(-1)!
    if (image.virtualSizeBytes > disk.sizeBytes) {
      throw failure('bad-input', `“${image.name}” is larger than ${disk.id}.`, { field: 'image', next: 'Make the disk larger first.' })
    }
    await requireOwn(target, lowest)
    if (!moved) {
      await target.requireSound()
      work.phase('comparing, and copying what differs')
      await rebaseLayer(target.pathOf(lowest.file), asFilename(diskNodes(disk, target.pathOf, disk.layers.length - 1)), image, work)
    }
    work.pointOfNoReturn()
    await target.save({ ...disk, image: groundOf(image), layers: disk.layers.map((layer) => (layer === lowest ? { ...layer, frozen: null } : layer)) })
    await target.noteBackingOf(disk.layers.length - 1)
    return target
  })
}

/** Copies up all that lies below, so that the disk is one file. */
export async function flattenDisk(input: ParsedInputOf<'disk.flatten'>, context: Context, work: Work): Promise<DiskTarget> {
  const target = diskTarget(input, context)
  const { disk } = target
  target.requireUnpublished(disk.layers)
  const commits = appliedCommits([...disk.layers, ...disk.undone])
  if (commits.length > 0 && !input.forget) {
    throw failure('wrong-state', `Flattening ${target.label} gives up its history: ${commits.length === 1 ? 'a commit' : `${commits.length} commits`} could no longer be undone.`, {
      name: disk.id,
      state: 'has a history',
      next: 'Say that the history may go (forget).'
    })
  }
  return reserved(target, 'is being flattened', async () => {
    await target.requireSound()
    work.phase('copying up what lies below')
    if (target.qmp) await flattenLive(target.qmp, target, work)
    else await flattenFiles(target, work)
    await target.collectGarbage()
    await target.machine.measureDisks()
    return target
  })
}

async function flattenLive(qmp: QmpSession, target: DiskTarget, work: Work): Promise<void> {
  const active = activeLayer(target.disk)
  const start = (jobId: string): Promise<unknown> => qmp.execute('block-stream', { 'job-id': jobId, device: active.nodeName, 'auto-dismiss': false })
  await runJob(qmp, start, { signal: work.signal, progress: work.progress, what: 'Flattening' })
  await flushNode(qmp, active.nodeName)
  const { layers } = target.disk
  await target.save(flattened(target.disk))
  for (const layer of layers.slice(1)) await dropNode(qmp, layer.nodeName)
}

/** Into a new file: it takes the old one's place in the record when it is whole. */
async function flattenFiles(target: DiskTarget, work: Work): Promise<void> {
  const { disk } = target
  const after = withOverlay(disk, {}, Date.now())
  const path = target.pathOf(activeLayer(after).file)
  await removeFile(path)
  work.onUndo(() => removeFile(path))
  await writeWhole(target, disk, { path, format: 'qcow2' }, work)
  work.pointOfNoReturn()
  await target.save(flattened(after))
}

/** Undo, redo and discard end on a fresh layer: its file is made before the record names it. */
export async function onFreshLayer(target: DiskTarget, disk: Disk): Promise<void> {
  const after = withOverlay(disk, {}, Date.now())
  await makeLayerFile(target, after)
  try {
    await target.save(after)
  } catch (error) {
    await removeFile(target.pathOf(activeLayer(after).file))
    throw error
  }
  await target.collectGarbage()
}

/** An image of another format. */
export async function convertLibraryImage(input: ParsedInputOf<'disk.convert'>, context: Context, work: Work): Promise<ImageRecord> {
  return context.images.use(input.image, input.name, (image) => {
    if (image.kind === 'iso' || image.kind === 'guest') throw failure('bad-input', `“${image.name}” is no disk image that can be converted.`, { field: 'image' })
    return context.images.keep(input.name, true, work, (path) => convertImage(image, { path, format: input.format }, work), input.format, image.kind)
  })
}
