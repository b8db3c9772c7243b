import type { LucideIcon } from 'lucide-react'
import { toast } from '../toasts'

export type CommandSection = 'Machine' | 'Disks' | 'Images' | 'Tasks' | 'View' | 'Go to' | 'Help'

/**
 * Something the user can do. There is one list of them: the menu sends their ids, the palette lists them, tooltips and menus
 * show their shortcuts, the keyboard runs them.
 */
export interface Command {
  /** As the menu knows it: `machine.create`. */
  id: string
  title: string
  section: CommandSection
  icon?: LucideIcon
  /** Shortcuts, the one to show first: `Ctrl+Shift+P`, `F2`, `?`. */
  keys?: readonly string[]
  /** Runs even while a guest has the keyboard. Only for chords that no guest needs. */
  always?: boolean
  /** Why it cannot be run now, one sentence; null when it can. Left out: always. */
  blocked?: () => string | null
  /** False keeps it out of the palette. */
  listed?: boolean
  /** More words to find it by in the palette. */
  alias?: string
  run: () => void
}

let commands: readonly Command[] = []
let byId = new Map<string, Command>()
let byKeys = new Map<string, Command>()

/** Sets the list. Once, when the window starts; a duplicate is a mistake and is thrown. */
export function setCommands(list: readonly Command[]): void {
  commands = list
  byId = new Map()
  byKeys = new Map()
  for (const command of list) {
    if (byId.has(command.id)) throw new Error(`two commands are called ${command.id}`)
    byId.set(command.id, command)
    for (const keys of command.keys ?? []) {
      if (byKeys.has(keys)) throw new Error(`${keys} means both ${byKeys.get(keys)?.id} and ${command.id}`)
      byKeys.set(keys, command)
    }
  }
}

export const allCommands = (): readonly Command[] => commands
export const commandFor = (keys: string): Command | undefined => byKeys.get(keys)
/** The shortcut to show for a command. */
export const keysOf = (id: string): string | null => byId.get(id)?.keys?.[0] ?? null
export const blockedBy = (id: string): string | null => byId.get(id)?.blocked?.() ?? null

/** Runs a command; where it cannot be run the user is told why. */
export function runCommand(id: string): void {
  const command = byId.get(id)
  if (!command) return console.warn(`there is no command ${id}`)
  const blocked = command.blocked?.() ?? null
  if (blocked) toast(blocked)
  else command.run()
}
