import { commandFor, runCommand, type Command } from './registry'

/** Keys as commands write them: modifiers in the order Ctrl, Alt, Shift, then the key. */
export function keysOfEvent(event: Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'altKey' | 'shiftKey' | 'metaKey'>): string {
  const { key, code } = event
  const chord = event.ctrlKey || event.altKey || event.metaKey
  // What is written on the key counts; in a chord on a layout without Latin letters, the place it has on others.
  const place = chord && !/^[\w]$/.test(key) ? /^(?:Key|Digit)(\w)$/.exec(code)?.[1] : undefined
  const name = place ?? (key.length === 1 ? key.toUpperCase() : key)
  const shift = event.shiftKey && (chord || key.length > 1)
  return [event.ctrlKey && 'Ctrl', event.altKey && 'Alt', shift && 'Shift', event.metaKey && 'Meta', name].filter(Boolean).join('+')
}

/** A terminal or a screen of a guest: what is typed there is the guest's. */
export const isGuestKeyboard = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest('[data-guest-keyboard]') !== null

const isEditable = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches('input:not([type=checkbox],[type=radio]), textarea, select'))

/** What means something in every text field, and is its own there. */
const EDITING = /^Ctrl\+(Shift\+)?([ACVXYZ]|Delete|Backspace|Home|End|Arrow\w+)$/

/** Whether these keys are for what has the focus, and not for a command. */
function isTaken(keys: string, command: Command, target: EventTarget | null): boolean {
  if (isGuestKeyboard(target)) return !command.always || !keys.startsWith('Ctrl+Shift+')
  return isEditable(target) && (!/^(Ctrl|Alt|Meta|F\d)/.test(keys) || EDITING.test(keys))
}

/** A modal dialog or an open menu has the keyboard to itself. */
const isModal = (): boolean =>
  document.querySelector('[role=dialog][data-state=open], [role=menu][data-state=open], [role=listbox][data-state=open]') !== null

/** Runs commands by their shortcuts; answers the function that ends it. */
export function startKeyboard(): () => void {
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return
    const keys = keysOfEvent(event)
    const command = commandFor(keys)
    if (!command || isTaken(keys, command, event.target) || isModal()) return
    event.preventDefault()
    event.stopPropagation()
    runCommand(command.id)
  }
  // Capturing, so that a terminal does not see a chord that is ours; and again for what others left alone.
  const capture = (event: KeyboardEvent): void => {
    if (isGuestKeyboard(event.target)) onKeyDown(event)
  }
  document.addEventListener('keydown', capture, { capture: true })
  document.addEventListener('keydown', onKeyDown)
  return () => {
    document.removeEventListener('keydown', capture, { capture: true })
    document.removeEventListener('keydown', onKeyDown)
  }
}
