import type { ClientLimits } from '#contract'
import { exists, linkTo, makePrivate, removeFile } from '../host/files'
import type { ShareRuntimePaths } from '../library/paths'
import type { BlockExportInfo } from '../qmp/commands'
import type { QmpSession } from '../qmp/session'
import { addLimit, levelLimit, limitName, removeOtherLimits } from './limit'
import { endExport, restoreNbdServer } from './nbd'
import { clientOfExport, exportId, exportName, exportsOf, type ServedAs } from './plan'

export interface WantedExports {
  shareId: string
  disk: string
  runtime: ShareRuntimePaths
  /** Where the NBD server of whoever serves listens. */
  nbdSocket: string
  /** The clients that are to be served, each from a node: the active layer, or a version below it. */
  clients: readonly WantedClient[]
  /** Those of them that are not connected now. */
  waiting: readonly string[]
}
export type WantedClient = { machineId: string; nodeName: string; limits: ClientLimits } & ServedAs

/** The exports of a share that there are. */
const exportsIn = async (qmp: QmpSession, shareId: string): Promise<BlockExportInfo[]> =>
  (await qmp.execute('query-block-exports')).filter(({ id, 'shutting-down': ending }) => id.startsWith(exportsOf(shareId)) && !ending)

/** Whether an export does for a client: it is of the same kind, and bounded where that is wanted. Those that an earlier Strata made have no filter. */
function does(there: BlockExportInfo | undefined, shareId: string, disk: string, client: WantedClient): boolean {
  if (there?.id !== exportId(shareId, client.machineId, client)) return false
  return there['node-name'] === limitName(disk, client.machineId, client) || Object.values(client.limits).every((limit) => limit === null)
}

/**
 * Lets a QEMU, or a storage daemon, export a node to exactly these clients: one export each, as a vhost-user-blk export serves one
 * client at a time. One that is not to write gets it read-only, so that QEMU itself refuses what it writes. Source: block-export-add, qapi/block-export.json, QEMU 7.2.
 * @returns whether the NBD server was made anew: other shares that it exported are to be looked after
 */
export async function levelExports(qmp: QmpSession, wanted: WantedExports): Promise<boolean> {
  const { shareId, disk, runtime, clients, nbdSocket } = wanted
  const anew = clients.some(({ transport }) => transport === 'nbd') && (await restoreNbdServer(qmp, nbdSocket))
  const there = await exportsIn(qmp, shareId)
  const ids = new Map(clients.map((client) => [exportId(shareId, client.machineId, client), client]))
  const useless = there.filter((one) => {
    const client = ids.get(one.id)
    return !client || !does(one, shareId, disk, client)
  })
  for (const { id, type } of useless) await end(qmp, id, pathOf(runtime, clientOfExport(id, shareId), type))
  await removeOtherLimits(qmp, disk, new Set(clients.map((client) => limitName(disk, client.machineId, client))))
  for (const [id, client] of ids) {
    const path = pathOf(runtime, client.machineId, client.transport)
    const name = limitName(disk, client.machineId, client)
    if (there.some((one) => one.id === id && !useless.includes(one))) {
      // A socket that somebody deleted is made anew, once its client looks for it: one that is connected does not need it.
      const missed = client.transport === 'nbd' || wanted.waiting.includes(client.machineId)
      if (!missed || (await exists(path))) {
        await levelLimit(qmp, name, client.limits)
        continue
      }
      await end(qmp, id, path)
    }
    await addLimit(qmp, name, client)
    const fresh = { id, node: name, writable: client.writes, writethrough: client.writes && client.writeThrough, path }
    if (client.transport === 'nbd') await addNbdExport(qmp, fresh, nbdSocket, exportName(shareId, client.machineId))
    else await addVhostExport(qmp, fresh)
  }
  return anew
}

/** Where the other end of an export looks for it: over vhost-user-blk that is the client's relay. */
const pathOf = (runtime: ShareRuntimePaths, machineId: string, transport: string): string => (transport === 'nbd' ? runtime.client(machineId) : runtime.relay(machineId).exporter)

interface NewExport {
  id: string
  node: string
  writable: boolean
  writethrough: boolean
  path: string
}

async function addVhostExport(qmp: QmpSession, { id, node, writable, writethrough, path }: NewExport): Promise<void> {
  await removeFile(path) // of one that was killed
  await qmp.execute('block-export-add', { type: 'vhost-user-blk', id, 'node-name': node, writable, writethrough, addr: { type: 'unix', path }, 'num-queues': 1 })
  await makePrivate(path)
}

/** A process has one NBD server for all. A client knows a path of its own, which leads to that of whoever serves now. */
async function addNbdExport(qmp: QmpSession, { id, node, writable, writethrough, path }: NewExport, nbdSocket: string, name: string): Promise<void> {
  await qmp.execute('block-export-add', { type: 'nbd', id, name, 'node-name': node, writable, writethrough })
  await linkTo(path, nbdSocket)
}

/** Its client does not look for it where it is no more. */
async function end(qmp: QmpSession, id: string, path: string): Promise<void> {
  await removeFile(path)
  await endExport(qmp, id)
}

/** Whether a QEMU exports anything of ours. */
export const servesAnybody = async (qmp: QmpSession): Promise<boolean> => (await qmp.execute('query-block-exports')).some(({ id }) => id.startsWith('share-'))
