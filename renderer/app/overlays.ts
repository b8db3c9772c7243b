import { create } from 'zustand'

/** What stands over the window; at most one at a time. */
export type Overlay =
  | { kind: 'create' }
  | { kind: 'rename'; machine: string }
  | { kind: 'force-off'; machines: readonly string[] }
  | { kind: 'reset'; machines: readonly string[] }
  | { kind: 'import-image'; path: string }
  | { kind: 'empty-trash'; trashId: string | null; name: string | null }
  | { kind: 'palette' }
  | { kind: 'shortcuts' }
  | { kind: 'about' }
  | { kind: 'tour-intro' }

export const useOverlay = create<{ overlay: Overlay | null }>(() => ({ overlay: null }))

export const openOverlay = (overlay: Overlay): void => useOverlay.setState({ overlay })
export const closeOverlay = (): void => useOverlay.setState({ overlay: null })
