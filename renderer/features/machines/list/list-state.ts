import { create } from 'zustand'
import { createPersisted } from '../../../app'

/** What is typed into the filter; forgotten with the window. */
export const useFilter = create<{ filter: string }>(() => ({ filter: '' }))
export const setFilter = (filter: string): void => useFilter.setState({ filter })

/** How the list is arranged. */
export const useArrangement = createPersisted<{ grouped: boolean; folded: readonly string[] }>(
  'machine-list',
  { grouped: false, folded: [] },
  ({ grouped, folded }) => typeof grouped === 'boolean' && Array.isArray(folded)
)

/** The first rows of the list as last shown: what the window opens with, until the machines have been read. Names only, no states. */
interface Seen {
  rows: readonly { heading: boolean; label: string }[]
}
const SEEN_ROWS = 40
const isSeenRow = (row: Partial<Seen['rows'][number]> | null): boolean => typeof row?.label === 'string' && typeof row.heading === 'boolean'
export const useSeen = createPersisted<Seen>(
  'machine-list-seen',
  { rows: [] },
  ({ rows }) => Array.isArray(rows) && rows.length <= SEEN_ROWS && rows.every(isSeenRow)
)
export function remember(rows: Seen['rows']): void {
  const first = rows.slice(0, SEEN_ROWS)
  if (JSON.stringify(first) !== JSON.stringify(useSeen.getState().rows)) useSeen.setState({ rows: first })
}

export const toggleGrouped = (): void => useArrangement.setState(({ grouped }) => ({ grouped: !grouped }))
export function toggleFolded(label: string): void {
  useArrangement.setState(({ folded }) => ({ folded: folded.includes(label) ? folded.filter((one) => one !== label) : [...folded, label] }))
}
