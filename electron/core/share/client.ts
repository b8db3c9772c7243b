import { setTimeout as delay } from 'node:timers/promises'
import { failure, type ClientTransport } from '#contract'
import { freePort, unplugDevice } from '../machine/hot-plug'
import type { QmpSession } from '../qmp/session'
import { throwIfCancelled } from '../task/work'
import { nbdNode } from './nbd'
import { chardevId, deviceId, exportName } from './plan'

/** After this many seconds a client tries to connect again. The least that QEMU 7.2 knows. */
const RECONNECT_SECONDS = 1
/** Descriptors of a client's ring: the most that QEMU knows. The relay keeps account of a ring by looking at it before it is written over, and a large one lasts longer. */
const QUEUE_SIZE = 1024
/** For so long a client over NBD holds what its guest asks for, and tries to connect again. How long it is held is for Strata to say. */
const NBD_HOLD_SECONDS = 86_400

/** How a client's end is: it has no such device, it is connected, or it waits for whoever serves it. */
export type ClientLink = { kind: 'none' } | { kind: 'connected' | 'waiting'; transport: ClientTransport }
const NO_LINK: ClientLink = { kind: 'none' }

/** Connecting to a Unix socket takes milliseconds, unless the exporter has just ended. */
const CONNECT_TIMEOUT_MS = 5_000
const LOOK_MS = 10

/** How a machine is to get a shared disk. */
export interface Plugging {
  shareId: string
  machineId: string
  socketPath: string
  transport: ClientTransport
  writes: boolean
}

/**
 * Plugs a shared disk into a machine that runs.
 * @throws unsupported (all ports are taken), qmp, wrong-state (nobody serves), cancelled
 */
export function plugShare(qmp: QmpSession, plugging: Plugging, signal: AbortSignal): Promise<void> {
  return plugging.transport === 'nbd' ? plugOverNbd(qmp, plugging) : plugOverVhostUser(qmp, plugging, signal)
}

/**
 * The connection is made first: for as long as a device waits for one, QEMU does not answer its monitor.
 *
 * `config-wce`: QEMU's export tells whoever may choose the cache mode that it writes through, and yet it does not. A guest that believed it would never
 * flush, and what it had synced would be gone with an exporter that is killed. Without the choice it flushes. Source: block/export/vhost-user-blk-server.c, QEMU 7.2.
 */
async function plugOverVhostUser(qmp: QmpSession, { shareId, socketPath }: Plugging, signal: AbortSignal): Promise<void> {
  const bus = await freePort(qmp)
  const socket = { type: 'socket' as const, data: { addr: { type: 'unix' as const, data: { path: socketPath } }, server: false, reconnect: RECONNECT_SECONDS } }
  await qmp.execute('chardev-add', { id: chardevId(shareId), backend: socket })
  try {
    await connected(qmp, shareId, signal)
    await qmp.execute('device_add', { driver: 'vhost-user-blk-pci', id: deviceId(shareId), chardev: chardevId(shareId), 'num-queues': 1, 'queue-size': QUEUE_SIZE, 'config-wce': false, bus })
  } catch (error) {
    await qmp.execute('chardev-remove', { id: chardevId(shareId) })
    throw error
  }
}

/** Requests that were under way when the connection ended are asked again. Errors are the guest's, as over vhost-user-blk: QEMU would stop it on a full disk. */
async function plugOverNbd(qmp: QmpSession, { shareId, machineId, socketPath, writes }: Plugging): Promise<void> {
  const bus = await freePort(qmp)
  const id = deviceId(shareId)
  const node = { ...nbdNode(socketPath, exportName(shareId, machineId)), 'node-name': id, 'reconnect-delay': NBD_HOLD_SECONDS, 'read-only': !writes, discard: 'unmap' as const }
  await qmp.execute('blockdev-add', node)
  try {
    await qmp.execute('device_add', { driver: 'virtio-blk-pci', id, drive: id, werror: 'report', rerror: 'report', bus })
  } catch (error) {
    await qmp.execute('blockdev-del', { 'node-name': id })
    throw error
  }
}

async function connected(qmp: QmpSession, shareId: string, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + CONNECT_TIMEOUT_MS
  while ((await clientLink(qmp, shareId)).kind !== 'connected') {
    throwIfCancelled(signal)
    if (performance.now() > deadlineMs) throw failure('wrong-state', 'Nobody serves the shared disk now.', { name: shareId, state: 'not served', next: 'Try again in a moment.' })
    await delay(LOOK_MS)
  }
}

/** Asks the guest to let go of a shared disk. @throws time-out (it keeps it; nothing has changed) */
export async function unplugShare(qmp: QmpSession, shareId: string, label: string, timeoutSeconds: number, signal: AbortSignal): Promise<void> {
  const link = await clientLink(qmp, shareId)
  if (link.kind === 'none') return
  await unplugDevice(qmp, { device: deviceId(shareId), label, timeoutSeconds, signal })
  if (link.transport === 'nbd') await qmp.execute('blockdev-del', { 'node-name': deviceId(shareId) })
  else await qmp.execute('chardev-remove', { id: chardevId(shareId) })
}

/** QEMU does not tell whether a client over NBD is connected: one that has the disk is taken to be. */
export async function clientLink(qmp: QmpSession, shareId: string): Promise<ClientLink> {
  const chardev = (await qmp.execute('query-chardev')).find(({ label }) => label === chardevId(shareId))
  if (chardev) return { kind: chardev.filename.startsWith('disconnected:') ? 'waiting' : 'connected', transport: 'vhost-user-blk' }
  const nodes = await qmp.execute('query-named-block-nodes', { flat: true })
  return nodes.some((node) => node['node-name'] === deviceId(shareId)) ? { kind: 'connected', transport: 'nbd' } : NO_LINK
}
