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

export const toggleGrouped = (): void => useArrangement.setState(({ grouped }) => ({ grouped: !grouped }))
export function toggleFolded(label: string): void {
  useArrangement.setState(({ folded }) => ({ folded: folded.includes(label) ? folded.filter((one) => one !== label) : [...folded, label] }))
}
