import { commandFor, runCommand } from './registry'

/** Keys as commands write them: modifiers in the order Ctrl, Alt, Shift, then the key. */
export function keysOfEvent(event: Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'altKey' | 'shiftKey' | 'metaKey'>): string {
  const { key, code } = event
  const letter = /^Key[A-Z]$/.test(code) ? code.slice(3) : /^Digit\d$/.test(code) ? code.slice(5) : null
  // With a modifier the key's place counts, so that shortcuts work on every layout; alone, what it types.
  const chord = event.ctrlKey || event.altKey || event.metaKey
  const name = chord && letter ? letter : key.length === 1 ? key.toUpperCase() : key
  const shift = event.shiftKey && (chord || key.length > 1)
  return [event.ctrlKey && 'Ctrl', event.altKey && 'Alt', shift && 'Shift', event.metaKey && 'Meta', name].filter(Boolean).join('+')
}

/** A terminal or a screen of a guest: what is typed there is the guest's. */
export const isGuestKeyboard = (target: EventTarget | null): boolean => target instanceof Element && target.closest('[data-guest-keyboard]') !== null

const isEditable = (target: EventTarget | null): boolean => target instanceof HTMLElement && (target.isContentEditable || target.matches('input:not([type=checkbox],[type=radio]), textarea, select'))

/** A modal dialog or an open menu has the keyboard to itself. */
const isModal = (): boolean => document.querySelector('[role=dialog][data-state=open], [role=menu][data-state=open], [role=listbox][data-state=open]') !== null

/** Runs commands by their shortcuts; answers the function that ends it. */
export function startKeyboard(): () => void {
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return
    const keys = keysOfEvent(event)
    const command = commandFor(keys)
    if (!command) return
    if (isGuestKeyboard(event.target) && !command.always) return
    if (isEditable(event.target) && !isGuestKeyboard(event.target) && !/^(Ctrl|Alt|Meta|F\d)/.test(keys)) return
    if (isModal()) return
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
