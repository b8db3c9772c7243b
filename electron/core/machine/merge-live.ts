import type { Layer } from '#contract'
import { runJob } from '../disk/block-job'
import { activeLayer, mergingLayers } from '../disk/stack'
import { keepWritingOut, writeOut } from '../host/big-files'
import type { QmpSession } from '../qmp/session'
import type { Work } from '../task/work'
import type { DiskTarget } from './disk-target'
import { addNode, dropNode, isRefused, reopenLayer, rootOf } from './layer-nodes'

/**
 * Merges the layers that are pending, below the one that a running guest writes to: it writes to none of them.
 *
 * `block-commit` of layers that nobody writes to copies one piece after the other. Of a layer that somebody may write to it copies up to sixteen
 * at once, as it mirrors: so a node is put on it that says it may write, and never does. Source: qapi/block-core.json, block-commit; blockdev.c,
 * qmp_block_commit, "Active commit is never really wrong"; block/blkdebug.c, take-child-perms.
 * @param knownBelow the header of the layer above names the one that is merged into already; else QEMU is to write it there
 */
export async function mergeBelow(qmp: QmpSession, target: DiskTarget, work: Work, { knownBelow = false } = {}): Promise<void> {
  const { disk, pathOf } = target
  const going = mergingLayers(disk)
  const into = disk.layers[disk.layers.indexOf(going.at(-1)!) + 1]!
  const [device, mirrors] = await Promise.all([rootOf(qmp, disk), knownBelow && holdForWriting(qmp, target, going[0]!)])
  if (!mirrors) await dropNode(qmp, holderOf(going[0]!)) // of a merge that was cut off: it could not say what is to be noted
  const start = (jobId: string): Promise<unknown> =>
    qmp.execute('block-commit', {
      'job-id': jobId,
      device,
      'top-node': going[0]!.nodeName,
      'base-node': into.nodeName,
      'auto-dismiss': false,
      ...(mirrors ? {} : { 'backing-file': pathOf(into.file) })
    })
  const onReady = async (jobId: string): Promise<void> => void (await qmp.execute('job-complete', { id: jobId }))
  const writingOut = keepWritingOut(pathOf(into.file))
  try {
    await runJob(qmp, start, { signal: null, progress: work.progress, ...(mirrors ? { onReady } : {}), what: `The merge of ${going[0]!.nodeName}` })
  } finally {
    void writingOut.end() // the job has flushed it
  }
  const lettingGo = letGo(qmp, target, going, into)
  lettingGo.catch(() => {}) // told below, when the record is written
  await target.save(await target.merged())
  await lettingGo
}

const holderOf = (layer: Layer): string => `${layer.nodeName}-held`

/** @returns false: others keep it from being written to, such as the device of a disk that was started with a raw image on top */
async function holdForWriting(qmp: QmpSession, target: DiskTarget, layer: Layer): Promise<boolean> {
  try {
    await reopenLayer(qmp, target, layer, { readOnly: false })
    await addNode(qmp, { driver: 'blkdebug', 'node-name': holderOf(layer), image: layer.nodeName, 'take-child-perms': ['write'] })
    return true
  } catch (error) {
    if (!isRefused(error)) throw error
    return false
  }
}

/** After a merge, also one that was cut off then: what was there for it goes, and the layer that was merged into can be read by others again. */
export async function letGo(qmp: QmpSession, target: DiskTarget, gone: readonly Layer[], into: Layer): Promise<void> {
  await dropNode(qmp, holderOf(gone[0]!))
  if (into.nodeName !== activeLayer(target.disk).nodeName) await reopenLayer(qmp, target, into, { readOnly: true })
  for (const layer of gone) await dropNode(qmp, layer.nodeName)
}

/** A guest that writes so much that it cannot be followed is not followed for longer than it takes to copy the layer this often. */
const MOST_COPIES = 2
const LEEWAY_BYTES = 64 * 2 ** 20

/**
 * Merges the active layer under a running guest, which goes on with the one below itself: QEMU mirrors what it writes meanwhile. Then the guest
 * is stopped for some milliseconds, until the record has it: what the guest wrote to the layer below itself would be hidden by the merged layer,
 * if all were cut off before. `pivot` in the record says that it was stopped by us.
 */
export async function mergeActive(qmp: QmpSession, target: DiskTarget, work: Work): Promise<void> {
  const [layer, below] = target.disk.layers as [Layer, Layer]
  const afterBytes = MOST_COPIES * (await target.bytesOf(layer.file)) + LEEWAY_BYTES
  const device = await rootOf(qmp, target.disk)
  const start = (jobId: string): Promise<unknown> =>
    qmp.execute('block-commit', { 'job-id': jobId, device, 'top-node': layer.nodeName, 'base-node': below.nodeName, 'auto-dismiss': false })
  let stopped = false
  const stopGuest = async (): Promise<void> => {
    stopped = (await qmp.execute('query-status')).running
    if (!stopped) return
    await target.save({ ...target.disk, pending: { kind: 'pivot', nodeName: layer.nodeName } })
    await qmp.execute('stop')
  }
  const writingOut = keepWritingOut(target.pathOf(below.file))
  const onReady = async (jobId: string): Promise<void> => {
    await writeOutDisks(target) // QEMU does so when it stops the guest, which would wait for it
    if (!stopped) await stopGuest()
    await qmp.execute('job-complete', { id: jobId })
  }
  try {
    await runJob(qmp, start, { signal: null, progress: work.progress, onReady, behind: { afterBytes, act: stopGuest }, what: `The merge of ${layer.nodeName}` })
    await target.save(await target.merged())
  } finally {
    if (stopped) await qmp.execute('cont').catch(() => {}) // QEMU has ended: told by what failed
    await writingOut.end()
  }
  await dropNode(qmp, layer.nodeName)
}

/** What the host holds back of what the machine's guest writes to. */
async function writeOutDisks({ machine, disk, pathOf }: DiskTarget): Promise<void> {
  const others = machine.definition.disks.filter((one) => one.id !== disk.id)
  await Promise.all([...others.map(activeLayer), ...disk.layers.slice(0, 2)].map((layer) => writeOut(pathOf(layer.file))))
}
