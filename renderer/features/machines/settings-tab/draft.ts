import { create } from 'zustand'
import type { Hardware } from '../editors/hardware'

/** Changes that were not saved yet, by machine: looking at another tab or machine loses none. */
interface Drafts {
  byId: Readonly<Record<string, Partial<Hardware>>>
}

const useDrafts = create<Drafts>(() => ({ byId: {} }))

export const useDraftOf = (id: string): Partial<Hardware> | null => useDrafts((state) => state.byId[id] ?? null)
export const changeDraft = (id: string, change: Partial<Hardware>): void =>
  useDrafts.setState(({ byId }) => ({ byId: { ...byId, [id]: { ...byId[id], ...change } } }))
export const dropDraft = (id: string): void =>
  useDrafts.setState(({ byId }) => {
    const { [id]: _dropped, ...rest } = byId
    return { byId: rest }
  })
