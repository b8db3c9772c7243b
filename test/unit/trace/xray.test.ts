import { describe, expect, it } from 'vitest'
import { pauseBetweenWindows } from '#core/trace/xray'

describe('the windows through which a busy QEMU is watched', () => {
  const share = (tookMs: number): number => tookMs / (tookMs + pauseBetweenWindows(tookMs))

  it('come twice a second while they are short', () => {
    expect(pauseBetweenWindows(9)).toBe(491)
  })
  it('take at most a fiftieth of the time where QEMU is slow to open and close them', () => {
    for (const tookMs of [12, 25, 40]) expect(share(tookMs)).toBeCloseTo(0.02)
  })
  it('come every two seconds all the same, and never take more than half of the time', () => {
    expect(pauseBetweenWindows(100)).toBe(1900)
    expect(pauseBetweenWindows(3000)).toBe(3000)
  })
})
