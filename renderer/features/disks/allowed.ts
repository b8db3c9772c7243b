import type { Disk, Machine } from '#contract'
import type { DiskAction } from '../../app'

/** What needs the machine off, and is not led there by its dialog. */
const NEEDS_OFF: readonly DiskAction[] = ['check', 'export', 'clone', 'rebase']

/**
 * Why something cannot be done to a disk now, in one sentence; null when it can. The same conditions as in the core, which has the last word.
 * Undo, redo and discard need the machine off too: their dialogs offer to stop it.
 */
export function whyNotDisk(action: DiskAction, machine: Machine, disk: Disk | undefined): string | null {
  const { state, name } = machine
  if (state.kind === 'broken') return `${name} is broken: its files cannot be used.`
  if (state.kind === 'starting') return `${name} is starting: in a moment.`
  if (state.kind === 'unreachable') return `The monitor of ${name} cannot be had: force it off first.`
  if (action === 'add') return null
  if (!disk) return `${name} has no disk.`
  if (NEEDS_OFF.includes(action) && 'pid' in state) return `Stop ${name} first: its QEMU has the disk open.`
  return whyNotNow(action, disk)
}

function whyNotNow(action: DiskAction, disk: Disk): string | null {
  const active = disk.layers[0]
  switch (action) {
    case 'commit':
      return active?.commit ? `Nothing was written since commit ${active.commit.sequence}.` : null
    case 'undo':
      return disk.history.some((entry) => entry.state === 'applied') ? null : 'There is no commit yet that could be undone.'
    case 'redo':
      return disk.undone.length > 0 ? null : 'No commit was undone.'
    case 'discard':
      if (active?.commit) return `Nothing was written since commit ${active.commit.sequence}.`
      return disk.layers.length === 1 && !disk.image ? 'Its one layer stands on nothing: there is nothing to go back to.' : null
    case 'merge':
      return disk.layers.length > 1 ? null : 'It has one layer of its own, and the image below it is never written to.'
    case 'flatten':
      return disk.layers.length === 1 && !disk.image ? 'It is one file that stands on nothing already.' : null
    case 'resize':
      return active?.commit ? 'Its top layer is committed and does not change any more: put an overlay on it first.' : null
    case 'find':
    case 'renew':
    case 'overlay':
    case 'add':
    case 'detach':
    case 'remove':
    case 'check':
    case 'export':
    case 'clone':
    case 'rebase':
      return null
  }
}
