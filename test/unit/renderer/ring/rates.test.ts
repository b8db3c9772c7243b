import { describe, expect, it } from 'vitest'
import type { Ring, RingClient } from '#contract'
import { between, fairness, formatNs, histogram, paces, quantile } from '../../../../renderer/features/ring/rates'
import { newClient } from '../../../support/bridge-double/ring'

const look = (atMs: number, clients: RingClient[]): Ring => ({ atMs, service: { kind: 'off' }, clients, compared: null })
const client = (pid: number, change: Partial<RingClient>): RingClient => ({ ...newClient(pid, 16), ...change })

describe('what clients do between two looks', () => {
  it('is the difference of their counts', () => {
    const before = look(1000, [client(5, { answered: 100, latencySumNs: 1_000_000, hits: 10, misses: 90 })])
    const now = look(1500, [client(5, { answered: 600, latencySumNs: 6_000_000, hits: 150, misses: 450 })])
    expect(paces(before, now)).toMatchObject([{ perSecond: 1000, meanNs: 10_000, hitShare: 0.25 }])
  })

  it('is not known of one that has just come, also in the place of another', () => {
    const before = look(1000, [client(5, { answered: 900, joined: 1 })])
    const now = look(1500, [client(5, { answered: 10, joined: 2, latencySumNs: 50_000 })])
    expect(paces(before, now)).toMatchObject([{ perSecond: null, meanNs: 5000, hitShare: null }])
    expect(paces(null, now)).toMatchObject([{ perSecond: null }])
  })

  it('is fair when all get the same; Strata itself is not counted', () => {
    const pace = (perSecond: number, own = false) => ({ client: client(5, { own }), perSecond, meanNs: null, hitShare: null })
    expect(fairness([pace(50), pace(50), pace(0, true)])).toBe(1)
    expect(fairness([pace(100), pace(0), pace(0), pace(0)])).toBe(0.25)
    expect(fairness([pace(100)])).toBeNull()
    expect(fairness([pace(0), pace(0)])).toBeNull()
  })
})

describe('latencies', () => {
  it('are summed up over all clients, between the first and the last bucket that holds some', () => {
    const with33 = client(5, { latency: newClient(5, 16).latency.map((_, bucket) => (bucket === 33 ? 30 : 0)) })
    const with35 = client(6, { latency: newClient(6, 16).latency.map((_, bucket) => (bucket === 35 ? 10 : 0)) })
    const bars = histogram([with33, with35])
    expect(bars.map(({ fromNs, toNs, count }) => [fromNs, toNs, count])).toEqual([
      [98_304, 131_072, 30],
      [131_072, 196_608, 0],
      [196_608, 262_144, 10]
    ])
    expect(quantile(bars, 0.5)).toBe(131_072)
    expect(quantile(bars, 0.99)).toBe(262_144)
    expect(histogram([newClient(5, 16)])).toEqual([])
  })

  it('are told in the unit that fits', () => {
    expect([820, 1500, 98_304, 2_500_000].map(formatNs)).toEqual(['820\u00a0ns', '1.5\u00a0µs', '98\u00a0µs', '2.5\u00a0ms'])
  })
})

it('an index that has wrapped is still ahead', () => {
  expect(between({ producer: 3, consumer: 0xffff_fffe })).toBe(5)
})
