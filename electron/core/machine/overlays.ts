import { failure, type Disk, type Layer } from '#contract'
import { neverHeldAnything } from '../disk/fingerprint'
import { endForeignJobs } from '../disk/block-job'
import { mapLayer } from '../disk/qemu-img'
import { activeLayer, mergingLayers, oldestMergeable, sealed, withOverlay } from '../disk/stack'
import { writeOut } from '../host/big-files'
import { isShared, removeFile } from '../host/files'
import type { BlockDeviceInfo, ImageInfo } from '../qmp/commands'
import type { QmpSession } from '../qmp/session'
import type { Context } from '../context'
import { asWork, type Work } from '../task/work'
import { DiskTarget, reserved } from './disk-target'
import { insertedIn, makeLayerFile, switchTo } from './layer-nodes'
import { merge, mergeAndRenew, requireOwn } from './merge'
import { letGo } from './merge-live'
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
  const { qmp } = target
  // What the host holds back of the layer, the guest would have to wait for at the turn to the new one.
  await Promise.all([makeLayerFile(target, after), qmp && writeOut(target.pathOf(activeLayer(before).file))])
  try {
    await target.save(after)
    if (qmp) await switchTo(qmp, target, activeLayer(before), layer)
  } catch (error) {
    await target.save({ ...before, nextLayer: after.nextLayer })
    await removeFile(target.pathOf(layer.file))
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
  await sealActive(target, { note, renew }, work)
  await prune(target, historyBudgetBytes, work)
}

/** The same, and however long the history gets by it. */
export async function sealActive(target: DiskTarget, { note, renew }: Pick<CommitOptions, 'note' | 'renew'>, work: Work): Promise<void> {
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
}

/** Merges the oldest commits into what they stand on until the history takes no more than it may. */
export async function prune(target: DiskTarget, budgetBytes: number, work: Work): Promise<void> {
  while ((await historyBytes(target)) > budgetBytes) {
    const oldest = oldestMergeable(target.disk)
    if (!oldest) return
    const below = target.disk.layers[target.disk.layers.indexOf(oldest) + 1]!
    if (await isShared(target.pathOf(below.file))) return // snapshots keep it, and with it the history above
    if (target.isPublished(oldest) || target.isPublished(below)) return // readers keep it
    work.log(`The history is over its budget: commit ${oldest.commit!.sequence} is merged, and can no longer be undone.`)
    await merge(target, oldest.nodeName, work)
  }
}

/** Commits are not given up unless that was said. @throws wrong-state */
export function requireForgettable({ disk, label }: DiskTarget, lost: readonly number[], forget: boolean): void {
  if (lost.length === 0 || forget) return
  throw failure('wrong-state', `This gives up ${lost.length === 1 ? `commit ${lost[0]}` : `commits ${lost.join(', ')}`} of ${label}.`, {
    name: disk.id,
    state: 'has more history',
    next: 'Redo what was undone first, or say that it may go (forget).'
  })
}

/** What sealed layers take that lie on others, with those that were undone. */
export async function historyBytes(target: DiskTarget): Promise<number> {
  const { layers, undone } = target.disk
  const kept = [...layers.slice(0, -1).filter((layer) => layer.commit !== null), ...undone]
  const bytes = await Promise.all(kept.map((layer) => target.bytesOf(layer.file)))
  return bytes.reduce((sum, one) => sum + one, 0)
}

/**
 * Merges what was written into the layer below, for good.
 * @param renew an empty overlay is left on top; without it a running guest goes on with the layer below itself
 */
export async function commitForGood(target: DiskTarget, options: { renew: boolean }, work: Work): Promise<void> {
  await mergeInto(target, requireLayerBelow(target.disk).nodeName, options, work)
}

/** Merges everything above a layer down into it. A running guest goes on with a new overlay meanwhile. */
export async function mergeInto(target: DiskTarget, nodeName: string, { renew }: { renew: boolean }, work: Work): Promise<void> {
  const { layers } = target.disk
  const into = layers.find((layer) => layer.nodeName === nodeName)!
  target.requireUnpublished(layers.slice(0, layers.indexOf(into)))
  await requireOwn(target, into)
  if (!target.qmp) {
    await merge(target, activeLayer(target.disk).nodeName, work, nodeName)
    if (renew) await putOverlay(target, {})
    return
  }
  await mergeAndRenew(target, nodeName, work)
  if (!renew && !into.commit) await merge(target, activeLayer(target.disk).nodeName, work)
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

/**
 * Cut off between the record and QEMU: QEMU writes to a layer that the record has covered, or has merged one and nobody was there to note
 * it. A guest that was stopped for the turn to another layer goes on.
 */
async function levelWithQemu(qmp: QmpSession, target: DiskTarget): Promise<void> {
  const { pending } = target.disk
  const [changed, found] = await Promise.all([endForeignJobs(qmp), writtenTo(qmp, target)])
  const inserted = changed ? await writtenTo(qmp, target) : found
  if (!inserted) return
  const going = mergingLayers(target.disk)
  if (going[0] && !filesOf(inserted.image).includes(target.pathOf(going[0].file))) {
    const into = target.disk.layers[target.disk.layers.indexOf(going[0]) + going.length]!
    await target.save(await target.merged())
    await letGo(qmp, target, going, target.disk.layers.find((layer) => layer.nodeName === into.nodeName)!)
  }
  const { layers } = target.disk
  const at = layers.findIndex((layer) => layer.nodeName === inserted['node-name'])
  for (let index = at; index > 0; index--) await switchTo(qmp, target, layers[index]!, layers[index - 1]!)
  if (pending?.kind === 'pivot' && (await qmp.execute('query-status')).status === 'paused') await qmp.execute('cont')
}

/** The node that a disk's device writes to; if that is a filter (another machine writes to the disk), the one below it. */
async function writtenTo(qmp: QmpSession, { disk, pathOf }: DiskTarget): Promise<BlockDeviceInfo | undefined> {
  const inserted = await insertedIn(qmp, disk)
  if (inserted?.drv !== 'blkdebug') return inserted
  // The filter stands on one node, and its name holds that one's options.
  const { image } = JSON.parse(inserted.file.slice('json:'.length)) as { image: { file: { filename: string } } }
  const layer = disk.layers.find(({ file }) => pathOf(file) === image.file.filename)
  return (await qmp.execute('query-named-block-nodes', { flat: false })).find((node) => node['node-name'] === layer?.nodeName)
}

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
      const finish = async (work: Work): Promise<void> => {
        await finishPending(target, work)
        await machine.measureDisks()
      }
      if (pending?.kind === 'merge' || pending?.kind === 'pivot') {
        const title = `Finish the merge that was cut off on ${id} of ${machine.name}`
        context.tasks.run('overlay.commit', title, machine.name, (work) => reserved(target, 'is being merged', () => finish(work)))
      } else {
        const finished = asWork(finish).catch(() => {}) // tried again by the next that is done to the disk
        machine.inOrder = Promise.all([machine.inOrder, finished])
      }
    }
  }
}
