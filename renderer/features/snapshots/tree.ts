import type { Snapshot } from '#contract'

/** One row of the drawing: a snapshot, or what the machine is now. */
export type TreeRow = ({ kind: 'snapshot'; snapshot: Snapshot } | { kind: 'now' }) & {
  depth: number
  /** Where the line comes from: the row above it, the line at its left, or nowhere. */
  from: 'above' | 'left' | null
  /** Whether something follows on its own line. */
  goesOn: boolean
}

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
    const root = parent === null
    for (const one of own.filter((child) => child !== on)) branch(one, depth + 1, root ? null : 'left')
    if (on) branch(on, depth, root ? null : 'above')
    else if (present === parent) rows.push({ kind: 'now', depth, from: root ? null : 'above', goesOn: false })
  }
  const branch = (snapshot: Snapshot, depth: number, from: TreeRow['from']): void => {
    rows.push({ kind: 'snapshot', snapshot, depth, from, goesOn: present === snapshot.id || children.has(snapshot.id) })
    below(snapshot.id, depth)
  }
  below(null, 0)
  return rows
}

/** The same of a machine that is not here: there is no present, and no line that leads to it. */
export const treeOfGone = (snapshots: readonly Snapshot[]): TreeRow[] =>
  treeRows(snapshots, null).flatMap((row) => (row.kind === 'now' ? [] : [{ ...row, depth: row.depth - 1 }]))
