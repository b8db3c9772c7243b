import { create } from 'zustand'
import { currentPlace, goToMachine, machineById, useMachines, usePlaces } from '../../app'
import type { Machine } from '#contract'

/**
 * Which machines are selected in the list. The `lead` is the one whose page is shown and from which arrow keys go on; Shift
 * selects from the `anchor`.
 */
interface Selection {
  ids: ReadonlySet<string>
  lead: string | null
  anchor: string | null
}

export const useSelection = create<Selection>(() => ({ ids: new Set(), lead: null, anchor: null }))

export function selectOnly(id: string): void {
  useSelection.setState({ ids: new Set([id]), lead: id, anchor: id })
  goToMachine(id)
}

/** Ctrl: adds it, or takes it away. */
export function toggleSelected(id: string): void {
  const { ids } = useSelection.getState()
  const next = new Set(ids)
  if (!next.delete(id)) next.add(id)
  useSelection.setState({ ids: next, lead: id, anchor: id })
  if (next.size === 1) goToMachine([...next][0] ?? id)
}

/** Shift: everything between the anchor and this one, in the order of the list. */
export function selectRange(id: string, order: readonly string[]): void {
  const { anchor } = useSelection.getState()
  const from = Math.max(0, order.indexOf(anchor ?? id))
  const to = order.indexOf(id)
  useSelection.setState({ ids: new Set(order.slice(Math.min(from, to), Math.max(from, to) + 1)), lead: id, anchor: order[from] ?? id })
}

export function selectAll(order: readonly string[]): void {
  useSelection.setState(({ lead, anchor }) => ({ ids: new Set(order), lead: lead ?? order[0] ?? null, anchor: anchor ?? order[0] ?? null }))
}

/** Back to the one whose page is shown. */
export function selectPlace(): void {
  const place = currentPlace()
  if (place.kind === 'machine') useSelection.setState({ ids: new Set([place.id]), lead: place.id, anchor: place.id })
  else useSelection.setState({ ids: new Set(), lead: null, anchor: null })
}

/** What commands act on: the selection, or the machine whose page is shown. */
export function selectedMachines(): Machine[] {
  const place = currentPlace()
  const { ids } = useSelection.getState()
  const chosen = ids.size > 0 ? [...ids] : place.kind === 'machine' ? [place.id] : []
  return chosen.map(machineById).filter((machine) => machine !== undefined)
}
export const selectedIds = (): string[] => selectedMachines().map((machine) => machine.id)

/** Keeps the selection true: a removed machine leaves it, and going to a page selects it. Answers the function that ends it. */
export function startSelection(): () => void {
  const followMachines = useMachines.subscribe(({ byId, loaded }) => {
    const { ids } = useSelection.getState()
    const left = [...ids].filter((id) => id in byId)
    if (loaded && left.length < ids.size) useSelection.setState({ ids: new Set(left) })
  })
  const followPlaces = usePlaces.subscribe(({ place }) => {
    const { ids } = useSelection.getState()
    if (place.kind === 'machine' ? !ids.has(place.id) : ids.size > 0) selectPlace()
  })
  selectPlace()
  return () => {
    followMachines()
    followPlaces()
  }
}
