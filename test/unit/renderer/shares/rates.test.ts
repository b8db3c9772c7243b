import { describe, expect, it } from 'vitest'
import type { ShareCounters } from '#contract'
import { ratesBetween, sayLatency, sayRate, sayWithin } from '../../../../renderer/features/shares/rates'

const counters = (machineId: string, more: Partial<ShareCounters> = {}): ShareCounters => ({ machineId, reads: 0, writes: 0, readBytes: 0, writtenBytes: 0, readMs: 0, writeMs: 0, ...more })

describe('the rates of a shared disk', () => {
  it('are what was asked between two looks', () => {
    const before = { atMs: 1000, counters: [counters('a', { reads: 10, readBytes: 4096, readMs: 5 })] }
    const now = { atMs: 3000, counters: [counters('a', { reads: 30, writes: 20, readBytes: 4096 + 2 ** 21, writtenBytes: 2 ** 20, readMs: 15, writeMs: 10 })] }
    const rate = ratesBetween(before, now).get('a')!
    expect(rate).toEqual({ readBytesPerSecond: 2 ** 20, writtenBytesPerSecond: 2 ** 19, requestsPerSecond: 20, meanMs: 0.5 })
    expect(sayRate(rate)).toMatch(/^1\.0.MiB\/s read, 512.*KiB\/s written$/)
    expect(sayLatency(rate.meanMs!)).toBe('0.5 ms')
  })

  it('are left out where a machine got the disk in between, or got it anew', () => {
    const before = { atMs: 0, counters: [counters('a', { reads: 10 })] }
    const now = { atMs: 2000, counters: [counters('a', { reads: 1 }), counters('b')] }
    expect([...ratesBetween(before, now).keys()]).toEqual([])
  })

  it('say when nothing is asked', () => {
    const look = (atMs: number) => ({ atMs, counters: [counters('a')] })
    expect(sayRate(ratesBetween(look(0), look(1000)).get('a')!)).toBe('idle')
  })
})

describe('what fio measured', () => {
  it('is told in a unit that it can be read in, and never as 1000 of one', () => {
    expect([85_300, 999_600, 2_700_000, 9_960_000, 148_000_000, 999_600_000, 12_300_000_000].map(sayWithin)).toEqual([
      ...['99 % in 85 µs', '99 % in 1.0 ms', '99 % in 2.7 ms', '99 % in 10 ms', '99 % in 148 ms', '99 % in 1.0 s', '99 % in 12.3 s']
    ])
  })
})
