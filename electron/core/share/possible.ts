import { failure, type DiskContent, type ShareMode, type ShareRecord } from '#contract'
import { HOT_PLUG_PORTS } from '../machine/command-line'
import type { ManagedMachine } from '../machine/machine'
import { isLive } from '../machine/state'
import { damagedByWriters } from './contents'
import { requireOthersMayWrite } from './guard'

export interface Sharing {
  machine: ManagedMachine
  disk: string
  mode: ShareMode
  /** Also where several writers do damage. */
  force: boolean
}

/** Whether others may write, and do no damage. @throws unsupported */
export async function requireHarmless({ machine, disk, mode, force }: Sharing, contents: () => Promise<DiskContent[]>): Promise<void> {
  if (mode === 'ro') return
  const label = `${machine.name}:${disk}`
  if (isLive(machine.state)) await requireOthersMayWrite(machine.live('asked').qmp, disk, label)
  if (mode === 'rw' || force) return
  const damaged = damagedByWriters(await contents())
  if (damaged === null) return
  throw failure('unsupported', `${label} holds ${damaged}. Several machines that write to it damage it within seconds, as each keeps what it knows of it in its own memory.`, {
    next: 'Share it rw: one machine writes at a time. To do it anyway, and lose what is on it: --force.'
  })
}

/**
 * Whether a machine can get a shared disk.
 * @param has how many of its ports are taken
 * @throws bad-input, already-exists, unsupported
 */
export function requirePossible(record: ShareRecord, client: ManagedMachine, has: { shares: number; cluster: boolean }): void {
  const { id } = client.definition
  if (id === record.machineId) throw failure('bad-input', `“${client.name}” has the disk: it is its own.`, { field: 'machine', next: 'Name another machine.' })
  if (record.clients.some(({ machineId }) => machineId === id)) {
    throw failure('already-exists', `“${client.name}” has this disk already.`, { what: 'client', name: client.name })
  }
  if (has.shares + (has.cluster ? 1 : 0) < HOT_PLUG_PORTS.length) return
  const taken = `${has.shares} shared ${has.shares === 1 ? 'disk' : 'disks'}${has.cluster ? ' and the network of the cluster' : ''}`
  throw failure('unsupported', `“${client.name}” has ${taken}, and no port for another disk.`, { next: 'Detach one of them first.' })
}
