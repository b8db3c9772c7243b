import { Camera } from 'lucide-react'
import { openOverlay, type Command } from '../../app'
import { selectedMachines } from '../machines'
import { whyNotTake } from './allowed'

export const snapshotCommands: readonly Command[] = [
  {
    id: 'snapshot.take',
    title: 'Take a snapshot…',
    section: 'Machine',
    icon: Camera,
    keys: ['Ctrl+Alt+S'],
    alias: 'save state memory checkpoint live',
    blocked: () => {
      const [machine, ...more] = selectedMachines()
      if (!machine) return 'Select a machine first.'
      return more.length > 0 ? 'This works on one machine at a time.' : whyNotTake(machine)
    },
    run: () => {
      const [machine] = selectedMachines()
      if (machine) openOverlay({ kind: 'snapshot', action: 'take', machine: machine.id, snapshot: '' })
    }
  }
]
