import { failure } from '#contract'
import type { QmpSession } from '../qmp/session'
import { HOT_PLUG_PORTS } from './command-line'

/** A port that a device can be plugged into now. @throws unsupported (all are taken) */
export async function freePort(qmp: QmpSession): Promise<string> {
  const free: string[] = []
  for (const port of HOT_PLUG_PORTS) {
    const properties = await qmp.execute('qom-list', { path: `/machine/peripheral/${port}/${port}` })
    // What is plugged in is a link `child[0]`; that to its hotplug-handler every bus has.
    if (!properties.some(({ name }) => name.startsWith('child['))) free.push(port)
  }
  if (free[0]) return free[0]
  throw failure('unsupported', 'All hot-plug ports of the machine are taken.', { next: `Stop the machine, and add the disk then; up to ${HOT_PLUG_PORTS.length} can be added while it runs.` })
}

export interface Unplugging {
  /** The device's id. */
  device: string
  /** What the user calls it. */
  label: string
  timeoutSeconds: number
  signal: AbortSignal
}

/** Asks the guest to let go of a device, and waits until it has. @throws time-out (it keeps it; nothing has changed), cancelled */
export async function unplugDevice(qmp: QmpSession, { device, label, timeoutSeconds, signal }: Unplugging): Promise<void> {
  const deleted = qmp.waitForEvent('DEVICE_DELETED', (data) => data.device === device, { timeoutMs: timeoutSeconds * 1000, signal })
  const refused = qmp.waitForEvent('DEVICE_UNPLUG_GUEST_ERROR', (data) => data.device === device, { timeoutMs: Infinity, signal })
  refused.catch(() => {}) // it was let go, or nobody waits any more
  deleted.catch(() => {}) // told below
  await qmp.execute('device_del', { id: device })
  const outcome = await Promise.race([deleted.then(() => 'deleted', () => 'kept'), refused.then(() => 'kept')])
  if (outcome === 'deleted') return
  throw failure('time-out', `The guest has not let go of ${label}.`, { waitedMs: timeoutSeconds * 1000, next: 'Unmount it in the guest, and try again; or stop the machine first.' })
}
