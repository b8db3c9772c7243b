import type { RingLoad } from '#contract'

/** Source: native/client/main.c, requirements of the exercise: times in nanoseconds. */
const LINE = /^([\d.]+)\|([\d.]+)\|([\d.]+)\|([\d.]+)\|([\d.]+)$/

/** What a client program printed: `max|average|minimum|std.dev.|requests_per_second`; null if it is not that. */
export function parseLine(line: string): Omit<RingLoad, 'pid' | 'threads' | 'requests'> | null {
  const found = LINE.exec(line.trim())
  if (!found) return null
  const [maxNs = 0, meanNs = 0, minNs = 0, deviationNs = 0, perSecond = 0] = found.slice(1).map(Number)
  return { maxNs, meanNs, minNs, deviationNs, perSecond }
}

/** Jain's index of what each has: 1 when all have the same, 1/n when one has all. */
export function jain(shares: readonly number[]): number {
  const sum = shares.reduce((all, share) => all + share, 0)
  const squares = shares.reduce((all, share) => all + share * share, 0)
  return squares === 0 ? 1 : (sum * sum) / (shares.length * squares)
}
