import { failure, Failure } from '#contract'
import type { PciDeviceInfo } from '../qmp/commands'
import type { QmpSession } from '../qmp/session'
import { HOT_PLUG_PORTS } from './command-line'
import type { Qemu } from './qemu'

/** An agent that has not answered by then is not there. */
const MOUNTED_TIMEOUT_MS = 5000

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

/**
 * That the guest has nothing of a disk mounted, by the word of its agent: Linux lets go of a disk whether or not it is in use, and what it had not
 * written to it yet is lost. Where no agent answers, or it does not tell, only the guest knows, and it passes.
 * Source: qga/qapi-schema.json, "GuestDiskAddress", and qapi/pci.json, "query-pci": both count buses as the guest has numbered them.
 * @throws in-use (naming where)
 */
export async function requireUnmounted({ qmp, agent }: Pick<Qemu, 'qmp' | 'agent'>, { device, label, signal }: Pick<Unplugging, 'device' | 'label' | 'signal'>): Promise<void> {
  const buses = await qmp.execute('query-pci')
  const place = buses.map(({ devices }) => findDevice(devices, device)).find((found) => found !== null)
  if (!place) return
  const mounted = await agent.mountedFrom(place, { timeoutMs: MOUNTED_TIMEOUT_MS, signal }).catch((error: unknown) => {
    if (error instanceof Failure && error.error.code !== 'cancelled') return []
    throw error
  })
  if (mounted.length === 0) return
  throw failure('in-use', `The guest has ${label} mounted on ${mounted.join(', ')}: what it has not written to it yet would be lost.`, {
    what: label,
    holder: mounted.join(', '),
    next: 'Unmount it in the guest, and do it again; or say that it may be taken all the same (force).'
  })
}

function findDevice(devices: readonly PciDeviceInfo[], id: string): PciDeviceInfo | null {
  for (const device of devices) {
    const found = device.qdev_id === id ? device : findDevice(device.pci_bridge?.devices ?? [], id)
    if (found) return found
  }
  return null
}

/** That a device is in a port, and not on the bus that the machine was started with, which lets go of none. @throws unsupported */
export async function requireInPort(qmp: QmpSession, { device, label }: Pick<Unplugging, 'device' | 'label'>): Promise<void> {
  const bus = await qmp.execute('qom-get', { path: `/machine/peripheral/${device}`, property: 'parent_bus' })
  if (HOT_PLUG_PORTS.some((port) => bus === `/machine/peripheral/${port}/${port}`)) return
  throw failure('unsupported', `${label} was there when the machine was started: only disks that were added since can be taken off while it runs.`, { next: 'Stop the machine, and do it again.' })
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
