import { describe, expect, it } from 'vitest'
import {
  afterCommit,
  afterDiscard,
  afterFlatten,
  afterMerge,
  afterOverlay,
  afterRedo,
  afterUndo,
  folded,
  thickness,
  type Sketch,
  type Slab
} from '../../../../renderer/features/disks/drawing/sketch'

const MIB = 2 ** 20
const ground: Slab = { key: '/images/base', kind: 'ground', title: 'Base', note: '', sizeBytes: 64 * MIB, sequence: null }
const commit = (sequence: number): Slab => ({
  key: `disk0-${sequence}`,
  kind: 'stratum',
  title: `Commit ${sequence}`,
  note: '',
  sizeBytes: sequence * 10 * MIB,
  sequence
})
const active: Slab = { key: 'disk0-4', kind: 'active', title: 'Active layer', note: '', sizeBytes: 5 * MIB, sequence: null }
const disk: Sketch = { stack: [active, commit(3), commit(2), commit(1), ground], aside: [] }
const titles = (slabs: readonly Slab[]): string[] => slabs.map((slab) => slab.title)

describe('the picture of what will be', () => {
  it('seals the active layer, and puts an empty one on top of it under a guest that runs', () => {
    const after = afterCommit(disk, { sequence: 4, note: 'n' }, true)
    expect(titles(after.stack)).toEqual(['Active layer', 'Commit 4', 'Commit 3', 'Commit 2', 'Commit 1', 'Base'])
    expect(after.stack[1]).toMatchObject({ kind: 'stratum', sizeBytes: 5 * MIB, mark: 'sealed', note: 'n' })
    expect(titles(afterCommit(disk, { sequence: 4, note: '' }, false).stack)[0]).toBe('Commit 4')
  })
  it('gives up what was undone when something else is committed', () => {
    const after = afterCommit(afterUndo(disk, 3), { sequence: 4, note: '' }, true)
    expect(after.aside).toEqual([])
  })
  it('sets a commit aside with all that lies on it, and throws the active layer away', () => {
    const after = afterUndo(disk, 2)
    expect(titles(after.stack)).toEqual(['Active layer', 'Commit 1', 'Base'])
    expect(titles(after.aside)).toEqual(['Commit 3', 'Commit 2'])
    expect(titles(afterUndo(after, 1).aside)).toEqual(['Commit 3', 'Commit 2', 'Commit 1'])
  })
  it('puts back what was set aside, from the bottom up to the one that is chosen', () => {
    const undone = afterUndo(disk, 1)
    const after = afterRedo(undone, 2)
    expect(titles(after.stack)).toEqual(['Active layer', 'Commit 2', 'Commit 1', 'Base'])
    expect(titles(after.aside)).toEqual(['Commit 3'])
    expect(titles(afterRedo(undone, 3).stack)).toEqual(['Active layer', 'Commit 3', 'Commit 2', 'Commit 1', 'Base'])
  })
  it('writes all that lies above a layer into it', () => {
    const after = afterMerge(disk, 'disk0-1', true)
    expect(titles(after.stack)).toEqual(['Active layer', 'Commit 1', 'Base'])
    expect(after.stack[1]).toMatchObject({ sizeBytes: 65 * MIB, mark: 'grown' })
  })
  it('lets the guest go on with the layer itself where that is not sealed', () => {
    const open = { stack: [active, { ...commit(1), title: 'Layer disk0-1', sequence: null }, ground], aside: [] }
    const after = afterMerge(open, 'disk0-1', false)
    expect(after.stack.map((slab) => [slab.title, slab.kind])).toEqual([
      ['Active layer', 'active'],
      ['Base', 'ground']
    ])
  })
  it('knows an overlay, a discard and a flat disk', () => {
    expect(titles(afterOverlay(disk, '').stack).slice(0, 2)).toEqual(['Active layer', 'Layer disk0-4'])
    expect(afterDiscard(disk).stack[0]).toMatchObject({ kind: 'active', mark: 'new' })
    expect(afterFlatten(disk, 100 * MIB).stack).toMatchObject([{ kind: 'active', sizeBytes: 100 * MIB }])
  })
})

it('draws layers thicker the more they hold, within bounds', () => {
  const heights = [0, 192 * 1024, 10 * MIB, 2 ** 30, 2 ** 40].map((bytes) => thickness(bytes, 46, 104))
  expect(heights[0]).toBe(46)
  expect(heights.at(-1)).toBe(104)
  expect([...heights].sort((a, b) => a - b)).toEqual(heights)
})

it('folds the middle of a long stack, and leaves the top and the ground', () => {
  const long = [active, ...Array.from({ length: 30 }, (_none, index) => commit(30 - index)), ground]
  const shown = folded(long, 7)
  expect(shown).toHaveLength(7)
  expect(shown[5]).toEqual({ key: 'fold', count: 26 })
  expect(shown.at(-1)).toBe(ground)
})
