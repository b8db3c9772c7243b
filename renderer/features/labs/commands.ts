import { GraduationCap } from 'lucide-react'
import { openOverlay, useSnapshots, type Command } from '../../app'

export const labCommands: readonly Command[] = [
  {
    id: 'lab.deploy',
    title: 'New class lab…',
    section: 'Machine',
    icon: GraduationCap,
    alias: 'students fork many deploy course workstation',
    blocked: () => (Object.keys(useSnapshots.getState().byId).length > 0 ? null : 'Take a snapshot of a machine first: the lab is made from it.'),
    run: () => openOverlay({ kind: 'lab', action: 'deploy', snapshot: null })
  }
]
