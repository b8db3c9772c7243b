import { Share2 } from 'lucide-react'
import { openOverlay, useMachines, type Command } from '../../app'
import { selectedMachines } from '../machines'

export const shareCommands: readonly Command[] = [
  {
    id: 'share.create',
    title: 'Share a disk…',
    section: 'Disks',
    icon: Share2,
    alias: 'vhost-user-blk export other machine attach',
    blocked: () => (Object.keys(useMachines.getState().byId).length > 1 ? null : 'There is no other machine to share a disk with.'),
    run: () => openOverlay({ kind: 'share', machine: selectedMachines()[0]?.id ?? null, disk: null })
  }
]
