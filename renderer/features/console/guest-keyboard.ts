import type { Terminal } from '@xterm/xterm'
import { focusOpenTab, onKeyboardRelease, usedPointer } from './keyboard-release'

/**
 * Gives a terminal in `element` the keyboard as a guest has it: what it takes goes no further (Ctrl+K is the shell's), Ctrl+Shift with a
 * letter is the window's, and Ctrl+Alt gives the keyboard back. Answers the function that ends it.
 * @param onKey for xterm.js: false keeps a key from the guest
 */
export function guestKeyboard(element: HTMLElement, terminal: Terminal, onKey: (event: KeyboardEvent) => boolean): () => void {
  terminal.attachCustomKeyEventHandler(onKey)
  const keep = (event: KeyboardEvent): void => {
    if (!(event.ctrlKey && event.shiftKey)) event.stopPropagation()
    // Alt alone would open the window's menu bar.
    if (event.key === 'Alt') event.preventDefault()
  }
  element.addEventListener('keydown', keep)
  const stopRelease = onKeyboardRelease(element, focusOpenTab)
  if (usedPointer()) terminal.focus()
  return () => {
    stopRelease()
    element.removeEventListener('keydown', keep)
  }
}
