import { failure, type DiskContent, type ShareMode, type ShareRecord } from '#contract'
import { HOT_PLUG_PORTS } from '../machine/command-line'
import type { ManagedMachine } from '../machine/machine'
import { isLive } from '../machine/state'
import { damagedByWriters } from './contents'
import { requireOthersMayWrite } from './guard'

/** Of the QEMU that runs it. */
export const hasSharedMemory = (machine: ManagedMachine): boolean => machine.running?.record.definition.sharedMemory ?? false

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
 * @param has how many it has @param nextStart it may get it at its next start
 * @throws bad-input, already-exists, unsupported
 */
export function requirePossible(record: ShareRecord, client: ManagedMachine, { has, nextStart }: { has: number; nextStart: boolean }): void {
  const { id } = client.definition
  if (id === record.machineId) throw failure('bad-input', `“${client.name}” has the disk: it is its own.`, { field: 'machine', next: 'Name another machine.' })
  if (record.clients.some(({ machineId }) => machineId === id)) {
    throw failure('already-exists', `“${client.name}” has this disk already.`, { what: 'client', name: client.name })
  }
  if (has >= HOT_PLUG_PORTS.length) {
    throw failure('unsupported', `“${client.name}” has ${HOT_PLUG_PORTS.length} shared disks, and no port for another.`, { next: 'Detach one of them first.' })
  }
  if (isLive(client.state) && !hasSharedMemory(client) && !nextStart) {
    throw failure('unsupported', `“${client.name}” runs with memory that other processes cannot map, which a shared disk needs.`, {
      next: 'Have both changed at its next start: --next-start.'
    })
  }
}
