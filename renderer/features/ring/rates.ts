import type { Ring, RingClient } from '#contract'

/** One client between two looks at the ring. */
export interface Pace {
  client: RingClient
  /** Answers a second; null at the first look. */
  perSecond: number | null
  /** Of the answers in between; of all, where there were none. */
  meanNs: number | null
  /** Share of the reads that came from the cache, since it joined. */
  hitShare: number | null
}

/** A place is given to another client once it is free: both together name one. */
export const keyOf = (client: RingClient): string => `${client.place}.${client.joined}`

/** What each client did between two looks. */
export function paces(before: Ring | null, now: Ring): Pace[] {
  const earlier = new Map(before?.clients.map((client) => [keyOf(client), client]))
  return now.clients.map((client) => {
    const then = earlier.get(keyOf(client))
    const seconds = (now.atMs - (before?.atMs ?? now.atMs)) / 1000
    const answered = client.answered - (then?.answered ?? 0)
    const reads = client.hits + client.misses
    const summed = then && answered > 0 ? { ns: client.latencySumNs - then.latencySumNs, answers: answered } : { ns: client.latencySumNs, answers: client.answered }
    return {
      client,
      perSecond: then && seconds > 0 ? answered / seconds : null,
      meanNs: summed.answers > 0 ? summed.ns / summed.answers : null,
      hitShare: reads > 0 ? client.hits / reads : null
    }
  })
}

/** Jain's index of the client programs: 1 when all have the same, 1/n when one has all. Null for fewer than two, or when nobody does anything. */
export function fairness(all: readonly Pace[]): number | null {
  const shares = all.filter((pace) => !pace.client.own).map((pace) => pace.perSecond ?? 0)
  const sum = shares.reduce((total, share) => total + share, 0)
  const squares = shares.reduce((total, share) => total + share * share, 0)
  return shares.length < 2 || squares === 0 ? null : (sum * sum) / (shares.length * squares)
}

export interface Bar {
  fromNs: number
  toNs: number
  count: number
  /** Of the fullest bar. */
  share: number
}

/** Where a bucket begins, two an octave: native/ring/statistics.h. */
const startOf = (bucket: number): number => 2 ** Math.floor(bucket / 2) * (bucket % 2 === 0 ? 1 : 1.5)

/** The answers of all clients by their latency, from the first bucket that holds some to the last. */
export function histogram(clients: readonly RingClient[]): Bar[] {
  const counts = clients.reduce<number[]>((sums, client) => client.latency.map((count, bucket) => count + (sums[bucket] ?? 0)), [])
  const first = counts.findIndex((count) => count > 0)
  if (first < 0) return []
  const last = counts.findLastIndex((count) => count > 0)
  const most = Math.max(...counts)
  return counts.slice(first, last + 1).map((count, index) => ({ fromNs: startOf(first + index), toNs: startOf(first + index + 1), count, share: count / most }))
}

/** The latency that a share of all answers stayed below, to the precision of a bucket; null when there are none. */
export function quantile(bars: readonly Bar[], share: number): number | null {
  const all = bars.reduce((sum, bar) => sum + bar.count, 0)
  let below = 0
  for (const bar of bars) {
    below += bar.count
    if (below >= all * share) return bar.toNs
  }
  return null
}

/** How far a consumer is behind its producer: both run freely over 32 bits. */
export const between = (index: { producer: number; consumer: number }): number => (index.producer - index.consumer) >>> 0

/** `820 ns`, `98 µs`, `1.2 ms`. */
export function formatNs(ns: number): string {
  if (ns < 1000) return `${Math.round(ns)}\u00a0ns`
  if (ns < 1e6) return `${ns < 9950 ? (ns / 1000).toFixed(1) : Math.round(ns / 1000)}\u00a0µs`
  return `${ns < 9.95e6 ? (ns / 1e6).toFixed(1) : Math.round(ns / 1e6)}\u00a0ms`
}

const whole = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 })
/** `33,760` */
export const formatNumber = (value: number): string => whole.format(value)
