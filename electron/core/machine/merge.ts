import { failure, Failure, type Layer } from '#contract'
import { runJob } from '../disk/block-job'
import { diskNodes } from '../disk/nodes'
import { commitImage } from '../disk/qemu-img'
import { activeLayer, mergeBegun, mergeDone, withOverlay } from '../disk/stack'
import { keepWritingOut, writeOut } from '../host/big-files'
import { isShared } from '../host/files'
import type { QmpSession } from '../qmp/session'
import type { Work } from '../task/work'
import type { DiskTarget } from './disk-target'
import { addLayerNode, dropNode, makeLayerFile, switchTo } from './layer-nodes'

/**
 * Writes a layer into the one below it, and takes it off. The record says so before: what is cut off is finished by `finishPending`.
 * Until then the layer stays on, and so what the guest sees is right at every moment.
 * @throws no-space, connection-lost (QEMU ended meanwhile): it is pending then
 */
export async function merge(target: DiskTarget, nodeName: string, work: Work): Promise<void> {
  if (target.disk.pending === null) {
    const at = target.disk.layers.findIndex((layer) => layer.nodeName === nodeName)
    target.requireUnpublished(target.disk.layers.slice(at, at + 1))
    await requireOwn(target, target.disk.layers[at + 1])
  }
  work.pointOfNoReturn()
  work.phase(`merging ${nodeName} into the layer below`)
  if (target.disk.pending === null) await target.save(mergeBegun(target.disk, nodeName))
  await carryOut(target, nodeName, work, async (qmp, at) => {
    if (at > 0) await mergeLive(qmp, target, at, work)
    else await mergeActive(qmp, target, null, work)
  })
}

/**
 * Merges the active layer under a running guest, which goes on with an empty one on what was merged into. The record has that empty layer on
 * top from the start: whenever all is cut off, reading through it to the merged layer is right, and merging again changes nothing.
 * @throws no-space, connection-lost: it is pending then
 */
export async function mergeAndRenew(target: DiskTarget, work: Work): Promise<void> {
  const layer = activeLayer(target.disk)
  const after = withOverlay(target.disk, {}, Date.now())
  const fresh = activeLayer(after)
  work.pointOfNoReturn()
  work.phase(`merging ${layer.nodeName} into the layer below`)
  await makeLayerFile(target, after, 2)
  await target.save(mergeBegun(after, layer.nodeName))
  await carryOut(target, layer.nodeName, work, async (qmp, at) => {
    try {
      if (await mergeActive(qmp, target, fresh, work)) return
      work.log('The guest writes as fast as it can be followed: it goes on with a new overlay, and what it wrote is merged then.')
      await switchTo(qmp, target, layer, fresh)
    } catch (error) {
      // QEMU goes on as the record says it does, if it can: else the next who has to do with the disk sees to that.
      await switchTo(qmp, target, layer, fresh).catch(() => {})
      throw error
    }
    await mergeLive(qmp, target, at, work)
  })
}

/** Merges by QEMU if it runs, else, and when it ends meanwhile, by qemu-img. */
async function carryOut(target: DiskTarget, nodeName: string, work: Work, live: (qmp: QmpSession, at: number) => Promise<void>): Promise<void> {
  const at = target.disk.layers.findIndex((layer) => layer.nodeName === nodeName)
  const { qmp } = target
  if (!qmp) await mergeFiles(target, at, work)
  else {
    try {
      await live(qmp, at)
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
 * Refuses to have a layer written to that readers have as a published version, or that a snapshot or another machine stands on too: it is the same
 * file under another name.
 * @throws in-use
 */
export async function requireOwn(target: DiskTarget, layer: Layer | undefined): Promise<void> {
  if (layer) target.requireUnpublished([layer])
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

/** A guest that writes so much that it cannot be followed is not followed for longer than it takes to copy the layer this often. */
const MOST_COPIES = 2
const LEEWAY_BYTES = 64 * 2 ** 20

/**
 * Of the active layer, under a running guest: QEMU mirrors what it writes meanwhile. Then the guest is stopped for some milliseconds, while
 * QEMU turns to the layer below, and to the fresh one on that: what the guest wrote to the layer below itself would be hidden by the merged
 * layer, if all were cut off before the record has it. `pivot` in the record says that it was stopped by us.
 * @param fresh an empty layer, on top in the record already; null: the guest goes on with the layer below itself
 * @returns whether it is done; false: the guest writes too fast, and nothing has changed
 */
async function mergeActive(qmp: QmpSession, target: DiskTarget, fresh: Layer | null, work: Work): Promise<boolean> {
  const [layer, below] = (fresh ? target.disk.layers.slice(1) : target.disk.layers) as [Layer, Layer]
  const afterBytes = MOST_COPIES * (await target.bytesOf(layer.file)) + LEEWAY_BYTES
  const start = (jobId: string): Promise<unknown> =>
    qmp.execute('block-commit', { 'job-id': jobId, device: layer.nodeName, 'base-node': below.nodeName, 'auto-dismiss': false })
  let stopped = false
  let gaveUp = false
  const stopGuest = async (): Promise<void> => {
    stopped = (await qmp.execute('query-status')).running
    if (!stopped) return
    await target.save({ ...target.disk, pending: { kind: 'pivot', nodeName: layer.nodeName } })
    await qmp.execute('stop')
  }
  const writingOut = keepWritingOut(target.pathOf(below.file))
  const onReady = async (jobId: string): Promise<void> => {
    void writingOut.end() // the job has flushed it
    await writeOutDisks(target) // QEMU does so when it stops the guest, which would wait for it
    if (fresh) await addLayerNode(qmp, target, fresh)
    if (!stopped) await stopGuest()
    await qmp.execute('job-complete', { id: jobId })
  }
  const onBehind = (jobId: string): Promise<unknown> => {
    gaveUp = fresh !== null
    return gaveUp ? qmp.execute('job-cancel', { id: jobId }) : stopGuest()
  }
  try {
    await runJob(qmp, start, { signal: null, progress: work.progress, onReady, behind: { afterBytes, act: onBehind }, what: `The merge of ${layer.nodeName}` })
    if (fresh) await turnTo(fresh)
    else await target.save(mergeDone(target.disk, layer.nodeName))
  } catch (error) {
    if (!gaveUp || (error instanceof Failure && error.error.code === 'connection-lost')) throw error
    return false
  } finally {
    if (stopped) await qmp.execute('cont').catch(() => {}) // QEMU has ended: told by what failed
    await writingOut.end()
  }
  if (fresh) await target.save(mergeDone(target.disk, layer.nodeName))
  else await dropNode(qmp, layer.nodeName)
  return true

  async function turnTo(top: Layer): Promise<void> {
    try {
      await dropNode(qmp, layer.nodeName)
      await qmp.execute('blockdev-snapshot', { node: below.nodeName, overlay: top.nodeName })
    } catch (error) {
      gaveUp = false
      await target.save(mergeDone(target.disk, layer.nodeName)) // before the guest goes on: it writes to the layer below itself now
      throw error
    }
  }
}

/** What the host holds back of what the machine's guest writes to. */
async function writeOutDisks({ machine, disk, pathOf }: DiskTarget): Promise<void> {
  const others = machine.definition.disks.filter((one) => one.id !== disk.id)
  await Promise.all([...others.map(activeLayer), ...disk.layers.slice(0, 2)].map((layer) => writeOut(pathOf(layer.file))))
}
