import { exists, makePrivate, removeFile } from '../host/files'
import type { ShareRuntimePaths } from '../library/paths'
import type { QmpSession } from '../qmp/session'
import { exportId, exportsOf, type ServedAs } from './plan'

export interface WantedExports {
  shareId: string
  runtime: ShareRuntimePaths
  /** The clients that are to be served, each from a node: the active layer, or a version below it. */
  clients: readonly ({ machineId: string; nodeName: string } & ServedAs)[]
  /** Those of them that are not connected now. */
  waiting: readonly string[]
}

/**
 * Lets a QEMU, or a storage daemon, export a node to exactly these clients: one export each, as a vhost-user-blk export serves one
 * client at a time. One that is not to write gets it read-only, so that QEMU itself refuses what it writes. Source: block-export-add, qapi/block-export.json, QEMU 7.2.
 */
export async function levelExports(qmp: QmpSession, wanted: WantedExports): Promise<void> {
  const { shareId, runtime, clients } = wanted
  const there = (await qmp.execute('query-block-exports')).filter(({ id }) => id.startsWith(exportsOf(shareId)))
  const ids = new Map(clients.map((client) => [exportId(shareId, client.machineId, client), client]))
  for (const { id } of there) if (!ids.has(id)) await endExport(qmp, id, runtime.client(id.slice(exportsOf(shareId).length)))
  for (const [id, { machineId, nodeName, writes }] of ids) {
    const path = runtime.client(machineId)
    if (there.some((one) => one.id === id && !one['shutting-down'])) {
      // A socket that somebody deleted is made anew, once its client looks for it: one that is connected does not need it.
      if (!wanted.waiting.includes(machineId) || (await exists(path))) continue
      await endExport(qmp, id, path)
    }
    await addExport(qmp, id, { path, nodeName, writes })
  }
}

async function addExport(qmp: QmpSession, id: string, { path, nodeName, writes }: { path: string; nodeName: string; writes: boolean }): Promise<void> {
  await removeFile(path) // of one that was killed
  await qmp.execute('block-export-add', {
    type: 'vhost-user-blk',
    id,
    'node-name': nodeName,
    writable: writes,
    addr: { type: 'unix', path },
    'num-queues': 1
  })
  await makePrivate(path)
}

/** `hard`: a client that is still connected is cut off, after what it has asked for is answered. */
async function endExport(qmp: QmpSession, id: string, path: string): Promise<void> {
  const deleted = qmp.waitForEvent('BLOCK_EXPORT_DELETED', (data) => data.id === id)
  await qmp.execute('block-export-del', { id, mode: 'hard' })
  await deleted
  await removeFile(path)
}

/** Whether a QEMU exports anything of ours. */
export const servesAnybody = async (qmp: QmpSession): Promise<boolean> => (await qmp.execute('query-block-exports')).some(({ id }) => id.startsWith('share-'))
