import { GitCommitVertical, Layers2, Redo2, RefreshCw, Undo2, type LucideIcon } from 'lucide-react'
import type { Disk, Machine } from '#contract'
import { openOverlay, type Command, type DiskAction } from '../../app'
import { selectedMachines } from '../machines'
import { whyNotDisk } from './allowed'
import { chosenDisk } from './choice'

interface Named {
  title: string
  icon?: LucideIcon
  keys?: readonly string[]
  alias?: string
}

const NAMES: Partial<Record<DiskAction, Named>> = {
  commit: { title: 'Commit what was written…', icon: GitCommitVertical, keys: ['Ctrl+S'], alias: 'save seal snapshot disk overlay' },
  renew: { title: 'Renew the overlay…', icon: RefreshCw, keys: ['Ctrl+Shift+S'], alias: 'commit pivot empty disk' },
  undo: { title: 'Undo a commit…', icon: Undo2, keys: ['Ctrl+Alt+Z'], alias: 'back history time disk' },
  redo: { title: 'Redo a commit…', icon: Redo2, keys: ['Ctrl+Alt+Y'], alias: 'forward history disk' },
  discard: { title: 'Discard what was written…', alias: 'throw away revert disk overlay' },
  overlay: { title: 'Put an overlay on the disk…', icon: Layers2, alias: 'layer create' },
  merge: { title: 'Merge layers…', alias: 'commit into block' },
  flatten: { title: 'Flatten the disk…', alias: 'pull stream one file' },
  resize: { title: 'Resize the disk…', alias: 'grow larger' },
  add: { title: 'Add a disk…', alias: 'attach create import hot-plug' },
  detach: { title: 'Detach the disk…', alias: 'unplug keep image' },
  remove: { title: 'Remove the disk…', alias: 'delete' },
  check: { title: 'Check the disk…', alias: 'repair damage leak' },
  export: { title: 'Export the disk…', alias: 'save raw vmdk vdi vhdx' },
  clone: { title: 'Clone the disk…', alias: 'copy' },
  find: { title: 'Find a missing file of the disk…', alias: 'moved lost relink' },
  rebase: { title: 'Rebase the disk…', alias: 'backing image base' }
}

/** The disk that commands act on: of the selected machine the one that was looked at last. */
function target(): { machine: Machine; disk: Disk | undefined } | string {
  const [machine, ...more] = selectedMachines()
  if (!machine) return 'Select a machine first.'
  if (more.length > 0) return 'This works on one machine at a time.'
  const id = chosenDisk(machine)
  return { machine, disk: machine.definition?.disks.find((disk) => disk.id === id) }
}

export const diskCommands: readonly Command[] = Object.entries(NAMES).map(([name, named]) => {
  const action = name as DiskAction
  return {
    id: `disk.${action}`,
    section: 'Disks' as const,
    ...named,
    blocked: () => {
      const found = target()
      return typeof found === 'string' ? found : whyNotDisk(action, found.machine, found.disk)
    },
    run: () => {
      const found = target()
      if (typeof found !== 'string') openOverlay({ kind: 'disk', action, machine: found.machine.id, disk: found.disk?.id ?? '' })
    }
  }
})
