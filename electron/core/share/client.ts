import { setTimeout as delay } from 'node:timers/promises'
import { failure } from '#contract'
import { freePort, unplugDevice } from '../machine/hot-plug'
import type { QmpSession } from '../qmp/session'
import { throwIfCancelled } from '../task/work'
import { chardevId, deviceId } from './plan'

/** After this many seconds a client tries to connect again. The least that QEMU 7.2 knows. */
const RECONNECT_SECONDS = 1

/** How a client's end is: it has no such device, it is connected, or it waits for whoever serves it. */
export type ClientLink = 'none' | 'connected' | 'waiting'

/** Connecting to a Unix socket takes milliseconds, unless the exporter has just ended. */
const CONNECT_TIMEOUT_MS = 5_000
const LOOK_MS = 10

/**
 * Plugs a shared disk into a machine that runs. The connection is made first: for as long as a device waits for one, QEMU does not answer
 * its monitor.
 *
 * `config-wce`: QEMU's export tells whoever may choose the cache mode that it writes through, and yet it does not. A guest that believed it would never
 * flush, and what it had synced would be gone with an exporter that is killed. Without the choice it flushes. Source: block/export/vhost-user-blk-server.c, QEMU 7.2.
 * @throws unsupported (all ports are taken), qmp, wrong-state (nobody serves), cancelled
 */
export async function plugShare(qmp: QmpSession, shareId: string, socketPath: string, signal: AbortSignal): Promise<void> {
  const bus = await freePort(qmp)
  const socket = { type: 'socket' as const, data: { addr: { type: 'unix' as const, data: { path: socketPath } }, server: false, reconnect: RECONNECT_SECONDS } }
  await qmp.execute('chardev-add', { id: chardevId(shareId), backend: socket })
  try {
    await connected(qmp, shareId, signal)
    await qmp.execute('device_add', { driver: 'vhost-user-blk-pci', id: deviceId(shareId), chardev: chardevId(shareId), 'num-queues': 1, 'config-wce': false, bus })
  } catch (error) {
    await qmp.execute('chardev-remove', { id: chardevId(shareId) })
    throw error
  }
}

async function connected(qmp: QmpSession, shareId: string, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + CONNECT_TIMEOUT_MS
  while ((await clientLink(qmp, shareId)) !== 'connected') {
    throwIfCancelled(signal)
    if (performance.now() > deadlineMs) throw failure('wrong-state', 'Nobody serves the shared disk now.', { name: shareId, state: 'not served', next: 'Try again in a moment.' })
    await delay(LOOK_MS)
  }
}

/** Asks the guest to let go of a shared disk. @throws time-out (it keeps it; nothing has changed) */
export async function unplugShare(qmp: QmpSession, shareId: string, label: string, timeoutSeconds: number, signal: AbortSignal): Promise<void> {
  const link = await clientLink(qmp, shareId)
  if (link === 'none') return
  await unplugDevice(qmp, { device: deviceId(shareId), label, timeoutSeconds, signal })
  await qmp.execute('chardev-remove', { id: chardevId(shareId) })
}

export async function clientLink(qmp: QmpSession, shareId: string): Promise<ClientLink> {
  const chardev = (await qmp.execute('query-chardev')).find(({ label }) => label === chardevId(shareId))
  if (!chardev) return 'none'
  return chardev.filename.startsWith('disconnected:') ? 'waiting' : 'connected'
}
