import type { ClientTransport } from '#contract'
import type { ManagedMachine } from '../machine/machine'
import { isLive } from '../machine/state'

const DEVICE = 'vhost-user-blk-pci'

/** Whether other processes can map a machine's memory: of the QEMU that runs it, or of the next one. */
export const hasSharedMemory = ({ present, definition }: ManagedMachine): boolean => (present?.record.definition ?? definition).sharedMemory

/** How a machine that runs is to get a disk: over NBD where vhost-user-blk cannot be. */
export async function chooseTransport(machine: ManagedMachine): Promise<ClientTransport> {
  if (!hasSharedMemory(machine)) return 'nbd'
  const found = await machine.live('asked').qmp.execute('qom-list-types', { implements: DEVICE })
  return found.some(({ name }) => name === DEVICE) ? 'vhost-user-blk' : 'nbd'
}

/** How one that is off, or starts, will get it, as far as can be told. */
export const expectedTransport = (machine: ManagedMachine): ClientTransport => (hasSharedMemory(machine) ? 'vhost-user-blk' : 'nbd')

/** Why a machine has, or will have, a disk over NBD. */
export function whyNbd(machine: ManagedMachine): string {
  if (hasSharedMemory(machine)) return 'its QEMU has no vhost-user-blk'
  const later = isLive(machine.state) && machine.definition.sharedMemory
  return `other processes cannot map its memory${later ? ' before its next start' : ': see its settings, shared memory'}`
}
