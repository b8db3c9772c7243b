import { useEffect, useState } from 'react'
import { shell } from '../../app'

/** The window grows to the screen in steps: sizes on the way there are no leaving. */
const SETTLED_MS = 1000

/**
 * Full screen for one part of the window. The window manager can end it too: then the part goes back to its place.
 * F11 leaves it, unless the guest has the keyboard.
 */
export function useFullScreen(): [boolean, (on: boolean) => void] {
  const [on, setOn] = useState(false)
  const change = (wanted: boolean): void => {
    setOn(wanted)
    void shell().setFullScreen(wanted)
  }
  useEffect(() => {
    if (!on) return undefined
    // Electron does not tell the page; a page that is smaller than its screen is none (2: fractions of a scaled pixel).
    const page = document.documentElement
    const enteredMs = performance.now()
    const resize = new ResizeObserver(() => {
      const settled = performance.now() - enteredMs > SETTLED_MS
      if (settled && (page.clientWidth < screen.width - 2 || page.clientHeight < screen.height - 2)) setOn(false)
    })
    const key = (event: KeyboardEvent): void => {
      if (event.key !== 'F11') return
      event.preventDefault()
      change(false)
    }
    resize.observe(page)
    document.addEventListener('keydown', key)
    return () => {
      resize.disconnect()
      document.removeEventListener('keydown', key)
    }
  }, [on])
  // Another tab or machine is not shown full screen.
  useEffect(() => () => void shell().setFullScreen(false), [])
  return [on, change]
}
