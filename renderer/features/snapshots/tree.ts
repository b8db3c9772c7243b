import type { Snapshot } from '#contract'

/** One line of the drawing: a snapshot, or what the machine is now. */
export type TreeRow = { kind: 'snapshot'; snapshot: Snapshot; depth: number; parent: string | null } | { kind: 'now'; depth: number; parent: string | null }

/**
 * A machine's snapshots from the oldest down, so that what was taken later stands below what it was taken on. The line that leads to the
 * present is not indented; what branches off stands a step to the right, above what goes on.
 * @param here the snapshot that the machine stands on
 */
export function treeRows(snapshots: readonly Snapshot[], here: string | null): TreeRow[] {
  const known = new Map(snapshots.map((snapshot) => [snapshot.id, snapshot]))
  const children = new Map<string | null, Snapshot[]>()
  for (const snapshot of [...snapshots].sort((a, b) => a.takenAtMs - b.takenAtMs)) {
    const parent = snapshot.parentId !== null && known.has(snapshot.parentId) ? snapshot.parentId : null
    children.set(parent, [...(children.get(parent) ?? []), snapshot])
  }
  const present = here !== null && known.has(here) ? here : null
  const towardsNow = new Set<string>()
  for (let id: string | null = present; id !== null && !towardsNow.has(id); id = known.get(id)?.parentId ?? null) towardsNow.add(id)
  const rows: TreeRow[] = []
  const below = (parent: string | null, depth: number): void => {
    const own = children.get(parent) ?? []
    const on = own.find((one) => towardsNow.has(one.id)) ?? (present === parent ? undefined : own.at(-1))
    for (const one of own.filter((child) => child !== on)) branch(one, depth + 1, parent)
    if (on) branch(on, depth, parent)
    else if (present === parent) rows.push({ kind: 'now', depth, parent })
  }
  const branch = (snapshot: Snapshot, depth: number, parent: string | null): void => {
    rows.push({ kind: 'snapshot', snapshot, depth, parent })
    below(snapshot.id, depth)
  }
  below(null, 0)
  return rows
}
