import { useRef, useState } from 'react'

/** What had the focus before each dialog that is open, the latest first. */
const trails = new WeakMap<Element, readonly HTMLElement[]>()

/** What has the focus; and where that lies in a dialog, which may be closed meanwhile, what had it before. */
function trailOf(active: Element | null): readonly HTMLElement[] {
  if (!(active instanceof HTMLElement)) return []
  const dialog = active.closest('[role=dialog]')
  return [active, ...((dialog && trails.get(dialog)) ?? [])]
}

export interface FocusReturn {
  /** Of the dialog. */
  ref: (dialog: HTMLElement | null) => void
  onCloseAutoFocus: (event: Event) => void
  /** Does something once the focus is back, so that what that opens gives it back to the same place. */
  afterwards: (act: () => void) => void
}

/** The way back for the focus from a dialog that is mounted open: that has no trigger to which the primitive could give it. */
export function useFocusReturn(): FocusReturn {
  const [before] = useState(() => trailOf(document.activeElement))
  const next = useRef<(() => void) | null>(null)
  return {
    ref: (dialog) => {
      if (dialog) trails.set(dialog, before)
    },
    onCloseAutoFocus: (event) => {
      event.preventDefault()
      before.find((element) => element.isConnected)?.focus({ preventScroll: true })
      next.current?.()
      next.current = null
    },
    afterwards: (act) => {
      next.current = act
    }
  }
}
