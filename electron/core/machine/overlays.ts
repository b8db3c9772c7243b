import { failure, Failure, type Disk, type Layer } from '#contract'
import { neverHeldAnything } from '../disk/fingerprint'
import { endForeignJobs, runJob } from '../disk/block-job'
import { diskNodes, layerNode, underneath } from '../disk/nodes'
import { createEmptyLayer } from '../disk/empty-layer'
import { commitImage, mapLayer } from '../disk/qemu-img'
import { activeLayer, mergeBegun, mergeDone, oldestMergeable, sealed, withOverlay } from '../disk/stack'
import { isShared, removeFile } from '../host/files'
import type { BlockDeviceInfo, ImageInfo } from '../qmp/commands'
import type { QmpSession } from '../qmp/session'
import type { Context } from '../context'
import { asWork, type Work } from '../task/work'
import { DiskTarget, reserved } from './disk-target'
import { isOff } from './state'

/**
 * Overlays put on, sealed and merged, of machines that run and of machines that are off. Each step is written down in the machine's record
 * so that a cut between any two leaves what works: see docs/overlays.md for the steps and for why each order is safe.
 */

/**
 * Puts an empty layer on top; a running guest writes to it from then on, and notices nothing.
 * @param change what else is to be true of the disk from that moment on
 * @throws no-space, qmp (QEMU refused; then all is as before)
 */
export async function putOverlay(target: DiskTarget, options: { note?: string; temporary?: boolean }, change: (disk: Disk) => Disk = (disk) => disk): Promise<void> {
  const before = target.disk
  const after = withOverlay(change(before), options, Date.now())
  const layer = activeLayer(after)
  await makeLayerFile(target, after)
  try {
    await target.save(after)
    const { qmp } = target
    if (qmp) await switchTo(qmp, target, activeLayer(before), layer)
  } catch (error) {
    await target.save({ ...before, nextLayer: after.nextLayer })
    await removeFile(target.pathOf(layer.file))
    throw error
  }
}

/** The file of the layer that is on top in the record. */
export async function makeLayerFile(target: DiskTarget, disk: Disk): Promise<void> {
  const path = target.pathOf(activeLayer(disk).file)
  await removeFile(path) // of one that was cut off: a number is recorded with its layer
  await createEmptyLayer(path, disk.sizeBytes, underneath(disk, 0, target.pathOf))
}

/** Lets a running QEMU go on with another layer on top. Source: blockdev-snapshot, qapi/block-core.json. */
async function switchTo(qmp: QmpSession, target: DiskTarget, from: Layer, to: Layer): Promise<void> {
  await qmp.execute('blockdev-add', { ...layerNode(to, target.pathOf(to.file), { active: true }), backing: null } as never)
  try {
    await qmp.execute('blockdev-snapshot', { node: from.nodeName, overlay: to.nodeName })
  } catch (error) {
    await dropNode(qmp, to.nodeName)
    throw error
  }
}

export interface CommitOptions {
  note: string
  /** An empty overlay is put on at once, also when the machine is off. */
  renew: boolean
  historyBudgetBytes: number
}

/** Seals what was written as the next commit. Nothing is copied, so it takes a moment whatever the size. */
export async function commitKeepingHistory(target: DiskTarget, { note, renew, historyBudgetBytes }: CommitOptions, work: Work): Promise<void> {
  const active = activeLayer(target.disk)
  work.phase('sealing the overlay')
  if (active.commit) {
    if (renew || target.qmp) await putOverlay(target, {})
  } else {
    const bytes = await target.bytesOf(active.file)
    const seal = (disk: Disk): Disk => sealed(disk, note, bytes, Date.now())
    if (renew || target.qmp) await putOverlay(target, {}, seal)
    else await target.save(seal(target.disk))
  }
  await target.collectGarbage()
  work.log(`Commit ${target.disk.nextSequence - 1} of ${target.label}.`)
  await prune(target, historyBudgetBytes, work)
}

/** Merges the oldest commits into what they stand on until the history takes no more than it may. */
export async function prune(target: DiskTarget, budgetBytes: number, work: Work): Promise<void> {
  while ((await historyBytes(target)) > budgetBytes) {
    const oldest = oldestMergeable(target.disk)
    if (!oldest) return
    const below = target.disk.layers[target.disk.layers.indexOf(oldest) + 1]!
    if (await isShared(target.pathOf(below.file))) return // snapshots keep it, and with it the history above
    work.log(`The history is over its budget: commit ${oldest.commit!.sequence} is merged, and can no longer be undone.`)
    await merge(target, oldest.nodeName, work)
  }
}

/** What sealed layers take that lie on others, with those that were undone. */
export async function historyBytes(target: DiskTarget): Promise<number> {
  const { layers, undone } = target.disk
  const kept = [...layers.slice(0, -1).filter((layer) => layer.commit !== null), ...undone]
  const bytes = await Promise.all(kept.map((layer) => target.bytesOf(layer.file)))
  return bytes.reduce((sum, one) => sum + one, 0)
}

/** An overlay that is renewed under a guest that goes on writing is merged again until it is small, but not for ever. */
const SMALL_OVERLAY_BYTES = 224 * 1024
const MOST_ROUNDS = 4

/**
 * Merges what was written into the layer below, for good.
 * @param renew an empty overlay is left on top; without it a running guest goes on with the layer below itself
 */
export async function commitForGood(target: DiskTarget, { renew }: { renew: boolean }, work: Work): Promise<void> {
  const below = requireLayerBelow(target.disk)
  await requireOwn(target, below)
  if (!target.qmp) {
    await merge(target, activeLayer(target.disk).nodeName, work)
    if (renew) await putOverlay(target, {})
    return
  }
  for (let round = 1; ; round++) {
    const written = activeLayer(target.disk)
    await putOverlay(target, {})
    await merge(target, written.nodeName, work)
    if (round === MOST_ROUNDS || (await target.bytesOf(activeLayer(target.disk).file)) <= SMALL_OVERLAY_BYTES) break
  }
  if (!renew && !below.commit) await merge(target, activeLayer(target.disk).nodeName, work)
}

/** Merges everything above a layer down into it, the lowest first. A running guest goes on with a new overlay. */
export async function mergeInto(target: DiskTarget, nodeName: string, { renew }: { renew: boolean }, work: Work): Promise<void> {
  await requireOwn(target, target.disk.layers.find((layer) => layer.nodeName === nodeName))
  if (target.qmp || renew) await putOverlay(target, {})
  const keepTop = target.qmp !== null || renew
  for (;;) {
    const { layers } = target.disk
    const above = layers.slice(keepTop ? 1 : 0, layers.findIndex((layer) => layer.nodeName === nodeName))
    const lowest = above.at(-1)
    if (!lowest) break
    await merge(target, lowest.nodeName, work)
  }
  if (target.qmp && !renew && !target.disk.layers[1]!.commit) await merge(target, activeLayer(target.disk).nodeName, work)
}

function requireLayerBelow(disk: Disk): Layer {
  const [active, below] = disk.layers
  if (below) return below
  throw failure('wrong-state', `${active!.nodeName} is the only layer of ${disk.id}: there is nothing of the machine's own below it to merge it into.`, {
    name: disk.id,
    state: 'one layer',
    next: 'Put an overlay on it first; commits that keep their history work at once.'
  })
}

/**
 * Writes a layer into the one below it, and takes it off. The record says so before: what is cut off is finished by `finishPending`.
 * Until then the layer stays on, and so what the guest sees is right at every moment.
 * @throws no-space, connection-lost (QEMU ended meanwhile): it is pending then
 */
export async function merge(target: DiskTarget, nodeName: string, work: Work): Promise<void> {
  if (target.disk.pending === null) await requireOwn(target, target.disk.layers[target.disk.layers.findIndex((layer) => layer.nodeName === nodeName) + 1])
  work.pointOfNoReturn()
  work.phase(`merging ${nodeName} into the layer below`)
  if (target.disk.pending === null) await target.save(mergeBegun(target.disk, nodeName))
  const at = target.disk.layers.findIndex((layer) => layer.nodeName === nodeName)
  const { qmp } = target
  if (!qmp) await mergeFiles(target, at, work)
  else {
    try {
      await (at > 0 ? mergeLive(qmp, target, at, work) : mergeActive(qmp, target, work))
    } catch (error) {
      if (!(error instanceof Failure) || error.error.code !== 'connection-lost') throw error
      work.log('QEMU has ended: the merge is finished without it.')
      await target.machine.whenOff
      await mergeFiles(target, at, work)
    }
  }
  await target.collectGarbage()
}

/**
 * Refuses to have a layer written to that a snapshot or another machine stands on too: it is the same file under another name.
 * @throws in-use
 */
export async function requireOwn(target: DiskTarget, layer: Layer | undefined): Promise<void> {
  if (!layer || !(await isShared(target.pathOf(layer.file)))) return
  throw failure('in-use', `${layer.nodeName} of ${target.label} is a part of a snapshot too, and cannot be written to.`, {
    what: layer.nodeName,
    next: 'Commits that keep their history can be made at any time; or flatten the disk, or remove the snapshots that stand on it.'
  })
}

/** Of a machine that is off. */
async function mergeFiles(target: DiskTarget, at: number, work: Work): Promise<void> {
  const layer = target.disk.layers[at]!
  await commitImage(target.pathOf(layer.file), diskNodes(target.disk, target.pathOf, at), work)
  await target.save(mergeDone(target.disk, layer.nodeName))
  if (at > 0) await target.noteBackingOf(at - 1)
}

/** Of a layer below the active one, under a running guest: it writes to none of the two. */
async function mergeLive(qmp: QmpSession, target: DiskTarget, at: number, work: Work): Promise<void> {
  const [active, layer, below] = [target.disk.layers[0]!, target.disk.layers[at]!, target.disk.layers[at + 1]!]
  const start = (jobId: string): Promise<unknown> =>
    qmp.execute('block-commit', {
      'job-id': jobId,
      device: active.nodeName,
      'top-node': layer.nodeName,
      'base-node': below.nodeName,
      'backing-file': target.pathOf(below.file),
      'auto-dismiss': false
    })
  await runJob(qmp, start, { signal: null, progress: work.progress, what: `The merge of ${layer.nodeName}` })
  await target.save(mergeDone(target.disk, layer.nodeName))
  await dropNode(qmp, layer.nodeName)
}

/**
 * Of the active layer, under a running guest, which goes on with the layer below. Between QEMU's turn to that layer and the record of it the
 * guest stands still: what it wrote then would be hidden by the old layer if both were cut off there.
 */
async function mergeActive(qmp: QmpSession, target: DiskTarget, work: Work): Promise<void> {
  const [layer, below] = [target.disk.layers[0]!, target.disk.layers[1]!]
  let resume = false
  const start = (jobId: string): Promise<unknown> =>
    qmp.execute('block-commit', { 'job-id': jobId, device: layer.nodeName, 'base-node': below.nodeName, 'auto-dismiss': false })
  const onReady = async (jobId: string): Promise<void> => {
    resume = (await qmp.execute('query-status')).running
    if (resume) await qmp.execute('stop')
    await target.save({ ...target.disk, pending: { kind: 'pivot', nodeName: layer.nodeName } })
    await qmp.execute('job-complete', { id: jobId })
  }
  try {
    await runJob(qmp, start, { signal: null, progress: work.progress, onReady, what: `The merge of ${layer.nodeName}` })
    await target.save(mergeDone(target.disk, layer.nodeName))
    await dropNode(qmp, layer.nodeName)
  } finally {
    if (resume) await qmp.execute('cont').catch(() => {}) // QEMU has ended: told by what failed
  }
}

/** A node that is not used any more goes, unless it went by itself with its user. */
export async function dropNode(qmp: QmpSession, nodeName: string): Promise<void> {
  const named = await qmp.execute('query-named-block-nodes', { flat: true })
  if (!named.some((node) => node['node-name'] === nodeName)) return
  // A node that came as a part of another cannot be named here; it goes with that one.
  await qmp.execute('blockdev-del', { 'node-name': nodeName }).catch((error: unknown) => {
    if (!(error instanceof Failure) || error.error.code !== 'qmp') throw error
  })
}

/**
 * Finishes what a crash cut off, and lets a QEMU that runs on what was recorded.
 * @returns whether there was anything to do
 */
export async function finishPending(target: DiskTarget, work: Work): Promise<boolean> {
  const { qmp } = target
  if (qmp) await levelWithQemu(qmp, target)
  const { pending } = target.disk
  if (pending === null) {
    await target.collectGarbage()
    return false
  }
  if (pending.kind === 'flatten') {
    await target.save({ ...target.disk, pending: null }) // begun again when it is asked for again: it changes nothing before its end
    return true
  }
  await merge(target, pending.nodeName, work)
  return true
}

/** Cut off between the record and QEMU: QEMU writes to a layer that the record has covered, or has turned to one below it. */
async function levelWithQemu(qmp: QmpSession, target: DiskTarget): Promise<void> {
  await endForeignJobs(qmp)
  const { disk } = target
  const inserted = await insertedIn(qmp, target)
  const actual = inserted?.['node-name']
  const at = disk.layers.findIndex((layer) => layer.nodeName === actual)
  if (disk.pending?.kind === 'merge' && inserted && !filesOf(inserted.image).includes(target.pathOf(fileOf(disk, disk.pending.nodeName)))) {
    await target.save(mergeDone(disk, disk.pending.nodeName)) // QEMU has done it, and nobody was there to note it
    return
  }
  if (at <= 0) return
  if (disk.pending?.kind === 'pivot') {
    await target.save(mergeDone(disk, disk.pending.nodeName))
    if ((await qmp.execute('query-status')).status === 'paused') await qmp.execute('cont')
    return
  }
  for (let index = at; index > 0; index--) await switchTo(qmp, target, disk.layers[index]!, disk.layers[index - 1]!)
}

/** The node that a disk's device writes to; if that is a filter (another machine writes to the disk), the one below it. */
async function insertedIn(qmp: QmpSession, { disk, pathOf }: DiskTarget): Promise<BlockDeviceInfo | undefined> {
  const inserted = (await qmp.execute('query-block')).find((one) => one.qdev?.includes(`${disk.id}-device`))?.inserted
  if (inserted?.drv !== 'blkdebug') return inserted
  // The filter stands on one node, and its name holds that one's options.
  const { image } = JSON.parse(inserted.file.slice('json:'.length)) as { image: { file: { filename: string } } }
  const layer = disk.layers.find(({ file }) => pathOf(file) === image.file.filename)
  return (await qmp.execute('query-named-block-nodes', { flat: false })).find((node) => node['node-name'] === layer?.nodeName)
}

const fileOf = (disk: Disk, nodeName: string): string => disk.layers.find((layer) => layer.nodeName === nodeName)!.file
/** The files of an image and of all that it stands on, as QEMU has them open. */
const filesOf = (image: ImageInfo): string[] => [image.filename, ...(image['backing-image'] ? filesOf(image['backing-image']) : [])]

/** Whether the active layer holds nothing. */
export async function isActiveEmpty(target: DiskTarget): Promise<boolean> {
  const active = activeLayer(target.disk)
  if (await neverHeldAnything(target.pathOf(active.file))) return true
  return (await mapLayer({ path: target.pathOf(active.file), format: active.format })).length === 0
}


/** At the opening of a library: finishes, as tasks, what was cut off on its disks. */
export function finishAllPending(context: Context): void {
  for (const machine of context.machines.all()) {
    for (const { id, pending, garbage } of machine.definition.disks) {
      const live = !isOff(machine.state)
      if (pending === null && garbage.length === 0 && !live) continue
      const target = new DiskTarget(context, machine, id)
      if (pending?.kind === 'merge' || pending?.kind === 'pivot') {
        const finish = (work: Work): Promise<unknown> => reserved(target, 'is being merged', () => finishPending(target, work))
        context.tasks.run('overlay.commit', `Finish the merge that was cut off on ${id} of ${machine.name}`, machine.name, finish)
      } else {
        const finished = asWork((work) => finishPending(target, work)).catch(() => {}) // tried again by the next that is done to the disk
        machine.inOrder = Promise.all([machine.inOrder, finished])
      }
    }
  }
}
