/**
 * Consoles and displays take every key, Tab and Ctrl+K included: they belong to the guest. Ctrl and Alt pressed and let go together, with
 * nothing else, give the keyboard back to the window (virt-manager and QEMU's own window use the same keys).
 *
 * Answers the function that stops watching. Capture phase: what has the keyboard stops keys from travelling on.
 */
export const RELEASE_KEYS = 'Ctrl+Alt'

export function onKeyboardRelease(element: HTMLElement, release: () => void): () => void {
  let armed = false
  const down = (event: KeyboardEvent): void => {
    armed = (event.key === 'Control' || event.key === 'Alt') && event.ctrlKey && event.altKey && !event.shiftKey && !event.metaKey
  }
  const up = (event: KeyboardEvent): void => {
    if (armed && (event.key === 'Control' || event.key === 'Alt')) release()
    armed = false
  }
  const disarm = (): void => void (armed = false)
  element.addEventListener('keydown', down, true)
  element.addEventListener('keyup', up, true)
  element.addEventListener('pointerdown', disarm, true)
  return () => {
    element.removeEventListener('keydown', down, true)
    element.removeEventListener('keyup', up, true)
    element.removeEventListener('pointerdown', disarm, true)
  }
}

/** Where the keyboard goes when a guest gives it back: the tab that is open. */
export function focusOpenTab(): void {
  document.querySelector<HTMLElement>('[role="tab"][aria-selected="true"]')?.focus({ preventScroll: true })
}

/** Whether the window was last used with a pointer: then what was clicked open may take the keyboard, else the focus stays. */
export const usedPointer = (): boolean => !document.activeElement?.matches(':focus-visible')
