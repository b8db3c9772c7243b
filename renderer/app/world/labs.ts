import { create } from 'zustand'
import type { Lab } from '#contract'

interface Labs {
  loaded: boolean
  byId: Readonly<Record<string, Lab>>
}

export const useLabs = create<Labs>(() => ({ loaded: false, byId: {} }))

export const labsMirror = {
  replace: (labs: Lab[]) => useLabs.setState({ loaded: true, byId: Object.fromEntries(labs.map((lab) => [lab.id, lab])) }),
  upsert: (lab: Lab) => useLabs.setState(({ byId }) => ({ byId: { ...byId, [lab.id]: lab } })),
  remove: (id: string) =>
    useLabs.setState(({ byId }) => {
      const { [id]: _removed, ...rest } = byId
      return { byId: rest }
    })
} as const

/** How often the store was said to have changed: whoever shows it reads again. */
export const useStoreChanges = create<{ count: number }>(() => ({ count: 0 }))
export const noteStoreChange = (): void => useStoreChanges.setState(({ count }) => ({ count: count + 1 }))
