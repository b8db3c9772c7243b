import {
  Copy,
  FilePenLine,
  Image,
  LayersPlus,
  Pause,
  Play,
  Power,
  RotateCcw,
  Settings2,
  Square,
  SquareTerminal,
  StepForward,
  Trash2
} from 'lucide-react'
import type { Machine } from '#contract'
import { blockedBy, goToMachine, keysOf, openOverlay, useHost } from '../../app'
import type { MenuItem, MenuItems } from '../../ui/menu'
import { pauseMachines, removeMachines, resumeMachines, saveScreenshot, startMachines, startTemporarily, stopMachines } from './actions'
import { whyNot, whyNotAny } from './allowed'
import { selectedMachines } from './selection'
import { hasProcess } from './words'

/** Everything that can be done to these machines, with the reason where it cannot. */
function entriesFor(
  machines: readonly Machine[]
): Record<
  'start' | 'startTemporarily' | 'stop' | 'pause' | 'reset' | 'forceOff' | 'rename' | 'clone' | 'screenshot' | 'remove' | 'console' | 'settings',
  MenuItem
> {
  const { host } = useHost.getState()
  const ids = machines.map((machine) => machine.id)
  const one = machines.length === 1 ? machines[0] : undefined
  const single = (action: 'rename' | 'screenshot'): string | null =>
    one ? whyNot(action, one, host) : 'This works on one machine at a time.'
  const paused = machines.length > 0 && machines.every((machine) => machine.state.kind === 'paused')
  return {
    start: {
      id: 'start',
      label: 'Start',
      icon: Play,
      keys: keysOf('machine.start'),
      blocked: whyNotAny('start', machines, host),
      onSelect: () => startMachines(ids)
    },
    startTemporarily: {
      id: 'start-temporarily',
      label: 'Start on a throw-away overlay',
      icon: LayersPlus,
      blocked: whyNotAny('start', machines, host),
      onSelect: () => startTemporarily(ids)
    },
    stop: {
      id: 'stop',
      label: 'Stop',
      icon: Square,
      keys: keysOf('machine.stop'),
      blocked: whyNotAny('stop', machines, host),
      onSelect: () => stopMachines(ids)
    },
    pause: paused
      ? { id: 'resume', label: 'Resume', icon: StepForward, keys: keysOf('machine.pause'), onSelect: () => resumeMachines(ids) }
      : {
          id: 'pause',
          label: 'Pause',
          icon: Pause,
          keys: keysOf('machine.pause'),
          blocked: whyNotAny('pause', machines, host),
          onSelect: () => pauseMachines(ids)
        },
    reset: {
      id: 'reset',
      label: 'Reset…',
      icon: RotateCcw,
      blocked: whyNotAny('reset', machines, host),
      onSelect: () => openOverlay({ kind: 'reset', machines: ids })
    },
    forceOff: {
      id: 'force-off',
      label: 'Force off…',
      icon: Power,
      danger: true,
      blocked: whyNotAny('force-off', machines, host),
      onSelect: () => openOverlay({ kind: 'force-off', machines: ids })
    },
    rename: {
      id: 'rename',
      label: 'Rename…',
      icon: FilePenLine,
      keys: keysOf('machine.rename'),
      blocked: single('rename'),
      onSelect: () => one && openOverlay({ kind: 'rename', machine: one.id })
    },
    clone: {
      id: 'clone',
      label: 'Clone…',
      icon: Copy,
      blocked: one ? blockedBy('machine.clone') : 'This works on one machine at a time.',
      onSelect: () => one && openOverlay({ kind: 'snapshot', action: 'clone-machine', machine: one.id, snapshot: '' })
    },
    screenshot: {
      id: 'screenshot',
      label: 'Save the screen as a picture…',
      icon: Image,
      blocked: single('screenshot'),
      onSelect: () => one && void saveScreenshot(one.id)
    },
    remove: {
      id: 'remove',
      label: 'Delete',
      icon: Trash2,
      danger: true,
      keys: keysOf('machine.remove'),
      blocked: whyNotAny('remove', machines, host),
      onSelect: () => void removeMachines(ids)
    },
    console: {
      id: 'console',
      label: 'Open the console',
      icon: SquareTerminal,
      blocked: one ? null : 'This works on one machine at a time.',
      onSelect: () => one && goToMachine(one.id, 'console')
    },
    settings: {
      id: 'settings',
      label: 'Settings',
      icon: Settings2,
      blocked: one ? null : 'This works on one machine at a time.',
      onSelect: () => one && goToMachine(one.id, 'settings')
    }
  }
}

/** The list's context menu. */
export function menuOfSelection(): MenuItems {
  const {
    start,
    startTemporarily: temporarily,
    stop,
    pause,
    reset,
    forceOff,
    rename,
    clone,
    remove,
    console: open,
    settings
  } = entriesFor(selectedMachines())
  return [start, temporarily, stop, pause, null, open, settings, rename, clone, null, reset, forceOff, remove]
}

/** The menu at the header's end: what has no button of its own there. */
export function menuOfHeader(machine: Machine): MenuItems {
  const { startTemporarily: temporarily, stop, pause, reset, forceOff, rename, clone, screenshot, remove } = entriesFor([machine])
  // Start and Stop are each other's counterpart: the one that fits has a button, the other would only be noise.
  const shown = headerActions(machine).map((action) => action.id)
  const rest = hasProcess(machine.state) ? [stop, pause].filter((item) => !shown.includes(item.id)) : [temporarily]
  return [...rest, ...(rest.length > 0 ? [null] : []), screenshot, rename, clone, null, reset, forceOff, remove]
}

/** The one or two buttons that fit a machine's state; the first is the main one. */
export function headerActions(machine: Machine): MenuItem[] {
  const { start, stop, pause, forceOff, remove } = entriesFor([machine])
  switch (machine.state.kind) {
    case 'running':
    case 'paused':
      return machine.state.kind === 'paused' ? [pause, stop] : [stop, pause]
    case 'stopping':
      return machine.state.overdue ? [forceOff, stop] : [stop]
    case 'unreachable':
      return [forceOff]
    case 'broken':
      return [remove]
    case 'starting':
      return [stop]
    case 'created':
    case 'stopped':
    case 'crashed':
      return [start]
  }
}
