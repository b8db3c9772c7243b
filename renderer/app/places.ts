import { createPersisted } from './persisted'

export const MACHINE_TABS = ['overview', 'console', 'display', 'disks', 'snapshots', 'monitor', 'settings'] as const
export type MachineTab = (typeof MACHINE_TABS)[number]

/** What the main part of the window shows. */
export type Place =
  | { kind: 'home' }
  | { kind: 'machine'; id: string; tab: MachineTab }
  | { kind: 'disks' }
  | { kind: 'snapshots' }
  | { kind: 'shares' }
  | { kind: 'labs' }
  | { kind: 'images' }
  | { kind: 'ring' }
  | { kind: 'store' }
  | { kind: 'tasks'; taskId: string | null }
  | { kind: 'settings' }

interface Places {
  place: Place
  /** The tab that the next machine opens with: going through machines one stays in the same tab. */
  tab: MachineTab
}

const KINDS: Place['kind'][] = ['home', 'machine', 'disks', 'snapshots', 'images', 'store', 'ring', 'tasks', 'settings', 'shares', 'labs']
const isValid = ({ place, tab }: Places): boolean => KINDS.includes(place.kind) && MACHINE_TABS.includes(tab)

export const usePlaces = createPersisted<Places>('place', { place: { kind: 'home' }, tab: 'overview' }, isValid)

export const currentPlace = (): Place => usePlaces.getState().place

const past: Place[] = []
const PAST_KEPT = 50

export function goTo(place: Place): void {
  const before = currentPlace()
  if (JSON.stringify(before) === JSON.stringify(place)) return
  past.push(before)
  if (past.length > PAST_KEPT) past.shift()
  usePlaces.setState(place.kind === 'machine' ? { place, tab: place.tab } : { place })
}

export function goToMachine(id: string, tab: MachineTab = usePlaces.getState().tab): void {
  goTo({ kind: 'machine', id, tab })
}

/** Where one was before; false when there was nothing before. */
export function goBack(): boolean {
  const before = past.pop()
  if (!before) return false
  usePlaces.setState(before.kind === 'machine' ? { place: before, tab: before.tab } : { place: before })
  return true
}
