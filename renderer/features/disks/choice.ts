import type { Machine } from '#contract'
import { createPersisted } from '../../app'

/** Which disk of each machine was looked at last; what commands act on. By machine's id. */
export const useDiskChoice = createPersisted<{ byMachine: Record<string, string> }>(
  'disk-choice',
  { byMachine: {} },
  ({ byMachine }) => typeof byMachine === 'object'
)

export const chooseDisk = (machineId: string, disk: string): void =>
  useDiskChoice.setState(({ byMachine }) => ({ byMachine: { ...byMachine, [machineId]: disk } }))

/** The id of the disk that is looked at; undefined for a machine that has none. */
export function chosenDisk(machine: Machine, byMachine = useDiskChoice.getState().byMachine): string | undefined {
  const disks = machine.definition?.disks ?? []
  return (disks.find((disk) => disk.id === byMachine[machine.id]) ?? disks[0])?.id
}
