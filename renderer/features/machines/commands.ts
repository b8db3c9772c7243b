import { FilePenLine, LayersPlus, Pause, Play, Plus, Power, RotateCcw, Square, Trash2, Undo2 } from 'lucide-react'
import { allMachines, currentPlace, goToMachine, MACHINE_TABS, openOverlay, useHost, type Command, type MachineTab } from '../../app'
import {
  canUndoRemoval,
  pauseMachines,
  removeMachines,
  resumeMachines,
  saveScreenshot,
  startMachines,
  startTemporarily,
  stopMachines,
  undoRemoval
} from './actions'
import { whyNot, whyNotAny, type MachineAction } from './allowed'
import { byName } from './list/filter'
import { toggleGrouped } from './list/list-state'
import { selectedIds, selectedMachines, selectOnly, useSelection } from './selection'

const blockedFor = (action: MachineAction) => () => whyNotAny(action, selectedMachines(), useHost.getState().host)
/** Actions on exactly one machine. */
const blockedForOne = (action: MachineAction) => (): string | null => {
  const [machine, ...more] = selectedMachines()
  if (!machine) return 'Select a machine first.'
  return more.length > 0 ? 'This works on one machine at a time.' : whyNot(action, machine, useHost.getState().host)
}
const theOne = (): string => selectedIds()[0] ?? ''

/** Pauses what runs; where nothing does, resumes what is paused. */
function togglePause(): void {
  if (whyNotAny('pause', selectedMachines(), null) === null) pauseMachines(selectedIds())
  else resumeMachines(selectedIds())
}
const blockedTogglePause = (): string | null => (blockedFor('resume')() === null ? null : blockedFor('pause')())

/** To the machine before or after the one that is shown, in the order of names. */
function step(by: number): void {
  const order = allMachines().sort(byName)
  const at = order.findIndex((machine) => machine.id === useSelection.getState().lead)
  const next = order[at < 0 ? 0 : Math.max(0, Math.min(order.length - 1, at + by))]
  if (next) selectOnly(next.id)
}

const TAB_TITLES: Record<MachineTab, string> = {
  overview: 'Overview',
  console: 'Console',
  display: 'Display',
  disks: 'Disks of the machine',
  snapshots: 'Snapshots of the machine',
  monitor: 'Monitor',
  settings: 'Machine settings'
}

const tabCommands: Command[] = MACHINE_TABS.map((tab, index) => ({
  id: `view.tab-${tab}`,
  title: TAB_TITLES[tab],
  section: 'View',
  keys: [`Ctrl+${index + 1}`],
  blocked: () => (selectedIds().length === 0 ? 'Select a machine first.' : null),
  run: () => {
    const place = currentPlace()
    goToMachine(place.kind === 'machine' ? place.id : theOne(), tab)
  }
}))

export const machineCommands: readonly Command[] = [
  {
    id: 'machine.create',
    title: 'New machine…',
    section: 'Machine',
    icon: Plus,
    keys: ['Ctrl+N'],
    alias: 'create add vm',
    run: () => openOverlay({ kind: 'create' })
  },
  {
    id: 'machine.start',
    title: 'Start',
    section: 'Machine',
    icon: Play,
    keys: ['Ctrl+Enter'],
    alias: 'run boot power on',
    blocked: blockedFor('start'),
    run: () => startMachines(selectedIds())
  },
  {
    id: 'machine.start-temporarily',
    title: 'Start on a throw-away overlay',
    section: 'Machine',
    icon: LayersPlus,
    alias: 'temporary snapshot run discard',
    blocked: blockedFor('start'),
    run: () => startTemporarily(selectedIds())
  },
  {
    id: 'machine.stop',
    title: 'Stop',
    section: 'Machine',
    icon: Square,
    keys: ['Ctrl+Shift+Enter'],
    alias: 'shut down power off',
    blocked: blockedFor('stop'),
    run: () => stopMachines(selectedIds())
  },
  {
    id: 'machine.pause',
    title: 'Pause or resume',
    section: 'Machine',
    icon: Pause,
    keys: ['Ctrl+P'],
    blocked: blockedTogglePause,
    run: togglePause
  },
  {
    id: 'machine.reset',
    title: 'Reset…',
    section: 'Machine',
    icon: RotateCcw,
    alias: 'reboot restart',
    blocked: blockedFor('reset'),
    run: () => openOverlay({ kind: 'reset', machines: selectedIds() })
  },
  {
    id: 'machine.force-off',
    title: 'Force off…',
    section: 'Machine',
    icon: Power,
    alias: 'kill pull the plug',
    blocked: blockedFor('force-off'),
    run: () => openOverlay({ kind: 'force-off', machines: selectedIds() })
  },
  {
    id: 'machine.rename',
    title: 'Rename…',
    section: 'Machine',
    icon: FilePenLine,
    keys: ['F2'],
    blocked: blockedForOne('rename'),
    run: () => openOverlay({ kind: 'rename', machine: theOne() })
  },
  {
    id: 'machine.screenshot',
    title: 'Save the screen as a picture…',
    section: 'Machine',
    alias: 'screenshot',
    blocked: blockedForOne('screenshot'),
    run: () => void saveScreenshot(theOne())
  },
  {
    id: 'machine.remove',
    title: 'Delete',
    section: 'Machine',
    icon: Trash2,
    keys: ['Ctrl+Delete'],
    alias: 'remove trash',
    blocked: blockedFor('remove'),
    run: () => void removeMachines(selectedIds())
  },
  {
    id: 'machine.undo-remove',
    title: 'Undo the last delete',
    section: 'Machine',
    icon: Undo2,
    keys: ['Ctrl+Z'],
    alias: 'restore bring back',
    blocked: () => (canUndoRemoval() ? null : 'Nothing was deleted in this window. Older deletes are in the trash, in Settings.'),
    run: () => void undoRemoval()
  },
  { id: 'machine.next', title: 'Next machine', section: 'Go to', keys: ['Ctrl+Alt+ArrowDown'], run: () => step(1) },
  { id: 'machine.previous', title: 'Previous machine', section: 'Go to', keys: ['Ctrl+Alt+ArrowUp'], run: () => step(-1) },
  { id: 'view.group-by-tag', title: 'Group machines by tag', section: 'View', run: toggleGrouped },
  ...tabCommands
]
