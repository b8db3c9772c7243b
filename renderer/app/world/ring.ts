import { create } from 'zustand'
import type { Ring } from '#contract'

/** The ring lab when something about it changed last, null until then: the screen reads what goes on in between itself. */
export const useRing = create<{ ring: Ring | null }>(() => ({ ring: null }))
export const ringMirror = {
  replace: (ring: Ring) => useRing.setState({ ring })
} as const
