import { describe, expect, it } from 'vitest'
import { keepLatest } from '../../../../renderer/features/console/kept'

describe('keeping the latest', () => {
  it('gives the same thing again, and disposes of what was not asked for longest', () => {
    const disposed: string[] = []
    const of = keepLatest(2, (id) => ({ id, dispose: () => disposed.push(id) }))
    const a = of('a')
    of('b')
    expect(of('a')).toBe(a)
    of('c')
    expect(disposed).toEqual(['b'])
    expect(of('a')).toBe(a)
    expect(of('b').id).toBe('b')
    expect(disposed).toEqual(['b', 'c'])
  })
})
