import { failure, Failure, type Layer } from '#contract'
import { diskNodes } from '../disk/nodes'
import { commitImage } from '../disk/qemu-img'
import { activeLayer, mergeBegun, mergingLayers, withOverlay } from '../disk/stack'
import { writeOut } from '../host/big-files'
import { isShared } from '../host/files'
import type { QmpSession } from '../qmp/session'
import type { Work } from '../task/work'
import type { DiskTarget } from './disk-target'
import { makeLayerFile, switchTo } from './layer-nodes'
import { mergeActive, mergeBelow } from './merge-live'

/**
 * Writes a layer, and all that lies between, into one below it, and takes them off. The record says so before: what is cut off is finished by
 * `finishPending`. Until then the layers stay on, and so what the guest sees is right at every moment.
 * @param into by default the layer below it
 * @throws in-use, no-space, connection-lost (QEMU ended meanwhile): it is pending then
 */
export async function merge(target: DiskTarget, nodeName: string, work: Work, into?: string): Promise<void> {
  work.pointOfNoReturn()
  if (target.disk.pending === null) {
    const after = mergeBegun(target.disk, nodeName, into)
    const merging = mergingLayers(after)
    target.requireUnpublished(merging)
    await requireOwn(target, after.layers[after.layers.indexOf(merging.at(-1)!) + 1])
    await target.save(after)
  }
  sayWhat(target, work)
  await carryOut(target, work, async (qmp) => {
    if (mergingLayers(target.disk)[0] === activeLayer(target.disk)) await mergeActive(qmp, target, work)
    else await mergeBelow(qmp, target, work)
  })
}

/**
 * Merges the active layer of a running guest, and all down to one below it, while the guest goes on with a new, empty one. The record has that
 * one on top from the start: whenever all is cut off, reading through it to the layers being merged is right, and merging again changes nothing.
 * @throws no-space, connection-lost: it is pending then
 */
export async function mergeAndRenew(target: DiskTarget, into: string, work: Work): Promise<void> {
  const from = activeLayer(target.disk)
  const after = mergeBegun(withOverlay(target.disk, {}, Date.now()), from.nodeName, into)
  work.pointOfNoReturn()
  // What the host holds back of the layer, the guest would have to wait for at the turn to the new one.
  await Promise.all([makeLayerFile(target, after, 1 + mergingLayers(after).length), writeOut(target.pathOf(from.file))])
  await target.save(after)
  sayWhat(target, work)
  await carryOut(target, work, async (qmp) => {
    await switchTo(qmp, target, from, activeLayer(after))
    await mergeBelow(qmp, target, work, { knownBelow: true })
  })
}

function sayWhat({ disk }: DiskTarget, work: Work): void {
  const going = mergingLayers(disk)
  const into = disk.layers[disk.layers.indexOf(going.at(-1)!) + 1]!
  work.phase(`merging ${going.map((layer) => layer.nodeName).join(', ')} into ${into.nodeName}`)
}

/** Merges by QEMU if it runs, else, and when it ends meanwhile, by qemu-img. */
async function carryOut(target: DiskTarget, work: Work, live: (qmp: QmpSession) => Promise<void>): Promise<void> {
  const { qmp } = target
  if (!qmp) await mergeFiles(target, work)
  else {
    try {
      await live(qmp)
    } catch (error) {
      if (!(error instanceof Failure) || error.error.code !== 'connection-lost') throw error
      work.log('QEMU has ended: the merge is finished without it.')
      await target.machine.whenOff
      if (target.disk.pending !== null) await mergeFiles(target, work)
    }
  }
  await target.collectGarbage()
}

/**
 * Refuses to have a layer written to that readers have as a published version, or that a snapshot or another machine stands on too: it is the same
 * file under another name.
 * @throws in-use
 */
export async function requireOwn(target: DiskTarget, layer: Layer | undefined): Promise<void> {
  if (layer) target.requireUnpublished([layer])
  if (!layer || !(await isShared(target.pathOf(layer.file)))) return
  const others = await target.sharersOf(layer)
  const why = others.length > 0 ? `is a layer of ${others.join(', ')} too, which would be damaged` : `is a part of ${await target.snapshotsOf(layer)} too, and cannot be written to`
  throw failure('in-use', `${layer.nodeName} of ${target.label} ${why}.`, {
    what: layer.nodeName,
    next: 'Commits that keep their history can be made at any time; or flatten this disk or the others first, or remove the snapshots that stand on it.'
  })
}

/** Of a machine that is off. */
async function mergeFiles(target: DiskTarget, work: Work): Promise<void> {
  const { disk, pathOf } = target
  const going = mergingLayers(disk)
  const at = disk.layers.indexOf(going[0]!)
  const into = disk.layers[at + going.length]!
  await commitImage(pathOf(going[0]!.file), diskNodes(disk, pathOf, at), pathOf(into.file), work)
  await target.save(await target.merged())
  if (at > 0) await target.noteBackingOf(at - 1)
}
