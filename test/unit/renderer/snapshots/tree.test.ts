import { describe, expect, it } from 'vitest'
import type { Snapshot } from '#contract'
import { treeOfGone, treeRows } from '../../../../renderer/features/snapshots/tree'

const snapshot = (id: string, parentId: string | null, takenAtMs: number): Snapshot => ({ id, parentId, takenAtMs }) as Snapshot
const drawn = (snapshots: Snapshot[], here: string | null): string[] => treeRows(snapshots, here).map((row) => '  '.repeat(row.depth) + (row.kind === 'now' ? 'now' : row.snapshot.id))

describe('the tree of snapshots', () => {
  it('is a line down to the present', () => {
    expect(drawn([snapshot('b', 'a', 2), snapshot('a', null, 1)], 'b')).toEqual(['a', 'b', 'now'])
  })
  it('shows what branches off beside the way to the present, wherever that goes on', () => {
    const all = [snapshot('a', null, 1), snapshot('b', 'a', 2), snapshot('c', 'b', 3), snapshot('d', 'a', 4)]
    expect(drawn(all, 'c')).toEqual(['a', '  d', 'b', 'c', 'now'])
    expect(drawn(all, 'd')).toEqual(['a', '  b', '  c', 'd', 'now'])
    expect(drawn(all, 'b')).toEqual(['a', '  d', 'b', '  c', 'now'])
    expect(drawn(all, 'a')).toEqual(['a', '  b', '  c', '  d', 'now'])
  })
  it('of a machine that is not here has no present, and begins at the left', () => {
    const all = [snapshot('a', null, 1), snapshot('b', 'a', 2), snapshot('c', 'a', 3), snapshot('d', null, 4)]
    expect(treeOfGone(all).map(({ depth, ...row }) => '  '.repeat(depth) + (row.kind === 'snapshot' ? row.snapshot.id : 'now'))).toEqual(['a', '  b', 'c', 'd'])
  })
  it('stands for itself where the machine stands on none of them, or on one that is gone', () => {
    expect(drawn([snapshot('a', null, 1), snapshot('b', 'gone', 2)], null)).toEqual(['  a', '  b', 'now'])
    expect(drawn([snapshot('a', null, 1)], 'gone')).toEqual(['  a', 'now'])
  })
})
