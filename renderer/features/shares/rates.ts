import type { ShareCounters, ShareLoad } from '#contract'
import { formatRate } from '#ui'

/** What a machine asks of a shared disk, between two looks. */
export interface ShareRate {
  readBytesPerSecond: number
  writtenBytesPerSecond: number
  requestsPerSecond: number
  /** How long a request takes; null when there was none. */
  meanMs: number | null
}

/** By machine. One that got the disk anew in between, and counts from nothing, is left out until the next look. */
export function ratesBetween(before: ShareLoad, now: ShareLoad): Map<string, ShareRate> {
  const seconds = (now.atMs - before.atMs) / 1000
  const rates = new Map<string, ShareRate>()
  if (seconds <= 0) return rates
  for (const counters of now.counters) {
    const past = before.counters.find(({ machineId }) => machineId === counters.machineId)
    const rate = past && rateOf(past, counters, seconds)
    if (rate) rates.set(counters.machineId, rate)
  }
  return rates
}

function rateOf(before: ShareCounters, now: ShareCounters, seconds: number): ShareRate | null {
  const since = (key: Exclude<keyof ShareCounters, 'machineId'>): number => now[key] - before[key]
  const requests = since('reads') + since('writes')
  if (since('reads') < 0 || since('writes') < 0) return null
  return {
    readBytesPerSecond: since('readBytes') / seconds,
    writtenBytesPerSecond: since('writtenBytes') / seconds,
    requestsPerSecond: requests / seconds,
    meanMs: requests === 0 ? null : (since('readMs') + since('writeMs')) / requests
  }
}

/** Below a tenth of a millisecond the guests' figures, which are whole milliseconds added up, mean little. */
export const sayLatency = (meanMs: number): string => (meanMs < 0.1 ? 'under 0.1 ms' : `${meanMs < 10 ? meanMs.toFixed(1) : Math.round(meanMs)} ms`)

/** What nearly all requests took, of figures that are exact: `99 % in 85 µs`, `99 % in 2.7 ms`, `99 % in 1.2 s`. */
export function sayWithin(ns: number): string {
  const ms = ns / 1e6
  if (ms < 0.9995) return `99 % in ${Math.round(ns / 1000)} µs`
  if (ms >= 999.5) return `99 % in ${(ms / 1000).toFixed(1)} s`
  return `99 % in ${ms < 9.95 ? ms.toFixed(1) : Math.round(ms)} ms`
}

/** `1.2 MiB/s read, 300 KiB/s written`; `idle`. */
export function sayRate({ readBytesPerSecond, writtenBytesPerSecond, requestsPerSecond }: ShareRate): string {
  if (requestsPerSecond === 0) return 'idle'
  const parts = [readBytesPerSecond > 0 && `${formatRate(readBytesPerSecond)} read`, writtenBytesPerSecond > 0 && `${formatRate(writtenBytesPerSecond)} written`]
  return parts.filter(Boolean).join(', ') || 'flushes only'
}
