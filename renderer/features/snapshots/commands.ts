import { Camera, Copy, CopyPlus, FileInput } from 'lucide-react'
import type { Machine } from '#contract'
import { attemptTask, openOverlay, shell, toast, useSnapshots, type Command } from '../../app'
import { selectedMachines } from '../machines'
import { whyNotTake } from './allowed'

async function importSnapshot(): Promise<void> {
  const file = await shell().chooseFile({ title: 'Import a snapshot', extensions: ['strata'] })
  if (file === null) return
  const done = await attemptTask('snapshot.import', { file })
  if (!done.ok) return
  const { id, name, machineId } = done.value
  toast(`The snapshot “${name}” is imported.`, {
    tone: 'good',
    actions: [{ label: 'Make a machine from it…', run: () => openOverlay({ kind: 'snapshot', action: 'clone', machine: machineId, snapshot: id }) }]
  })
}

/** Why this cannot be done with the machine that is selected. */
function blockedFor(reason: (machine: Machine) => string | null): string | null {
  const [machine, ...more] = selectedMachines()
  if (!machine) return 'Select a machine first.'
  return more.length > 0 ? 'This works on one machine at a time.' : reason(machine)
}

export const snapshotCommands: readonly Command[] = [
  {
    id: 'snapshot.take',
    title: 'Take a snapshot…',
    section: 'Machine',
    icon: Camera,
    keys: ['Ctrl+Alt+S'],
    alias: 'save state memory checkpoint live',
    blocked: () => blockedFor(whyNotTake),
    run: () => {
      const [machine] = selectedMachines()
      if (machine) openOverlay({ kind: 'snapshot', action: 'take', machine: machine.id, snapshot: '' })
    }
  },
  {
    id: 'machine.clone',
    title: 'Clone the machine…',
    section: 'Machine',
    icon: Copy,
    alias: 'copy duplicate fork',
    blocked: () => blockedFor(whyNotTake),
    run: () => {
      const [machine] = selectedMachines()
      if (machine) openOverlay({ kind: 'snapshot', action: 'clone-machine', machine: machine.id, snapshot: '' })
    }
  },
  {
    id: 'snapshot.clone',
    title: 'New machine from a snapshot…',
    section: 'Machine',
    icon: CopyPlus,
    alias: 'imported fork restore as',
    blocked: () => (Object.keys(useSnapshots.getState().byId).length > 0 ? null : 'There is no snapshot yet.'),
    run: () => openOverlay({ kind: 'snapshot', action: 'clone', machine: '', snapshot: '' })
  },
  { id: 'snapshot.import', title: 'Import a snapshot…', section: 'Machine', icon: FileInput, alias: 'file strata bring in', run: () => void importSnapshot() }
]
