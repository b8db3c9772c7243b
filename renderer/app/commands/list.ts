import { Archive, Camera, CircleDotDashed, GraduationCap, HardDrive, Info, Keyboard, Layers, ListTodo, Map as MapIcon, Search, Settings as SettingsIcon, Share2 } from 'lucide-react'
import type { Settings } from '#contract'
import { diskCommands } from '../../features/disks'
import { labCommands } from '../../features/labs'
import { machineCommands } from '../../features/machines'
import { shareCommands } from '../../features/shares'
import { snapshotCommands } from '../../features/snapshots'
import { attempt } from '../run'
import { goBack, goTo } from '../places'
import { openOverlay } from '../overlays'
import { shell } from '../bridge'
import { toast } from '../toasts'
import type { Command } from './registry'

const theme = (id: Settings['theme'], title: string): Command => ({
  id: `view.theme-${id}`,
  title,
  section: 'View',
  alias: 'colours appearance',
  run: () => void attempt('settings.edit', { theme: id })
})

async function importImage(): Promise<void> {
  const path = await shell().chooseFile({ title: 'Import an image', extensions: ['iso', 'img', 'raw', 'qcow2', 'vmdk', 'vdi', 'vhdx'] })
  if (path !== null) openOverlay({ kind: 'import-image', path })
}

/** Moves the focus from part to part: list, places, page, status bar. In each to what can be used first. */
function focusPart(by: 1 | -1): void {
  const parts = [...document.querySelectorAll('[data-part]')]
  const at = parts.findIndex((part) => part.contains(document.activeElement))
  for (let step = 1; step <= parts.length; step++) {
    const part = parts[(at + by * step + parts.length * 2) % parts.length]
    const target = part?.matches('[tabindex="0"]')
      ? part
      : part?.querySelector('button:not([tabindex="-1"]), input, select, textarea, [tabindex="0"]')
    if (target instanceof HTMLElement) return target.focus()
  }
}

/** Everything the user can do, from all features. */
export const commandList: readonly Command[] = [
  ...machineCommands,
  ...diskCommands,
  ...shareCommands,
  ...snapshotCommands,
  ...labCommands,
  {
    id: 'image.import',
    title: 'Import an image…',
    section: 'Images',
    icon: HardDrive,
    alias: 'iso qcow2 cloud disk',
    run: () => void importImage()
  },
  { id: 'go.disks', title: 'Disks', section: 'Go to', icon: Layers, keys: ['Ctrl+Shift+D'], run: () => goTo({ kind: 'disks' }) },
  { id: 'go.shares', title: 'Shares', section: 'Go to', icon: Share2, alias: 'vhost-user-blk', run: () => goTo({ kind: 'shares' }) },
  { id: 'go.images', title: 'Images', section: 'Go to', icon: HardDrive, keys: ['Ctrl+Shift+I'], run: () => goTo({ kind: 'images' }) },
  { id: 'go.ring', title: 'Ring lab', section: 'Go to', icon: CircleDotDashed, alias: 'split driver xen shared memory', run: () => goTo({ kind: 'ring' }) },
  { id: 'go.snapshots', title: 'Snapshots', section: 'Go to', icon: Camera, alias: 'all deleted imported', run: () => goTo({ kind: 'snapshots' }) },
  { id: 'go.store', title: 'Store', section: 'Go to', icon: Archive, alias: 'archive deduplication chunks', run: () => goTo({ kind: 'store' }) },
  {
    id: 'go.labs',
    title: 'Class labs',
    section: 'Go to',
    icon: GraduationCap,
    alias: 'students course wall',
    run: () => goTo({ kind: 'labs' })
  },
  {
    id: 'go.tasks',
    title: 'Tasks',
    section: 'Go to',
    icon: ListTodo,
    keys: ['Ctrl+Shift+T'],
    run: () => goTo({ kind: 'tasks', taskId: null })
  },
  {
    id: 'go.settings',
    title: 'Settings and trash',
    section: 'Go to',
    icon: SettingsIcon,
    keys: ['Ctrl+,'],
    run: () => goTo({ kind: 'settings' })
  },
  {
    id: 'go.back',
    title: 'Back',
    section: 'Go to',
    keys: ['Alt+ArrowLeft'],
    run: () => void (goBack() || toast('There is nothing to go back to.'))
  },
  {
    id: 'view.filter',
    title: 'Filter the machines',
    section: 'View',
    keys: ['Ctrl+F', 'Ctrl+Shift+F'],
    run: () => document.querySelector<HTMLInputElement>('[data-filter] input')?.focus()
  },
  { id: 'view.next-part', title: 'Next part of the window', section: 'View', keys: ['F6'], listed: false, run: () => focusPart(1) },
  {
    id: 'view.previous-part',
    title: 'Previous part of the window',
    section: 'View',
    keys: ['Shift+F6'],
    listed: false,
    run: () => focusPart(-1)
  },
  theme('system', 'Theme: follow the system'),
  theme('light', 'Theme: light'),
  theme('dark', 'Theme: dark'),
  {
    id: 'view.palette',
    title: 'Command palette…',
    section: 'View',
    icon: Search,
    keys: ['Ctrl+K', 'Ctrl+Shift+K'],
    always: true,
    listed: false,
    run: () => openOverlay({ kind: 'palette' })
  },
  { id: 'help.tour', title: 'Guided tour…', section: 'Help', icon: MapIcon, run: () => openOverlay({ kind: 'tour-intro' }) },
  {
    id: 'help.shortcuts',
    title: 'Keyboard shortcuts',
    section: 'Help',
    icon: Keyboard,
    keys: ['F1', '?'],
    run: () => openOverlay({ kind: 'shortcuts' })
  },
  { id: 'help.about', title: 'About Strata', section: 'Help', icon: Info, run: () => openOverlay({ kind: 'about' }) }
]
