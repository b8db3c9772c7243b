import { afterEach, describe, expect, it, vi } from 'vitest'
import { runtimePaths } from '#core/library/paths'
import { Hold } from '#core/share/hold'

afterEach(() => void vi.useRealTimers())

describe('what guests ask for of a disk that nobody can serve', () => {
  const begun = (): Hold => {
    vi.useFakeTimers({ now: 1_000_000 })
    const hold = new Hold(runtimePaths('/run').share('01234567').refusal, () => {})
    hold.begin()
    return hold
  }

  it('waits for as long as was set, counted from the first time, also when that is changed meanwhile', () => {
    const hold = begun()
    vi.setSystemTime(1_004_000)
    hold.begin()
    expect([hold.isOver(5), hold.lookAgainMs(5), hold.isOver(4)]).toEqual([false, 1_000, true])
    expect(hold.lookAgainMs(60)).toBe(56_000)
  })

  it('waits for ever without a time, and when it is served again it waits anew', () => {
    const hold = begun()
    vi.setSystemTime(9_000_000)
    expect([hold.isOver(null), hold.lookAgainMs(null)]).toEqual([false, Infinity])
    hold.end()
    expect([hold.isOver(5), hold.lookAgainMs(5)]).toEqual([false, Infinity])
    hold.begin()
    expect([hold.isOver(5), hold.lookAgainMs(5)]).toEqual([false, 5_000])
  })
})
