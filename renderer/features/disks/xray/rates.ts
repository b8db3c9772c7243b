import type { Trace, TraceFile } from '#contract'

/** What goes on in one layer right now: over the last second. */
export interface Pulse {
  readsPerSecond: number
  servedPerSecond: number
  writesPerSecond: number
  writtenPerSecond: number
  clustersPerSecond: number
  /** Beside the busiest layer, 0 to 1. */
  served: number
  written: number
}

const NOW_MS = 1000

/** By path. A layer in which nothing happens is there with zeros. */
export function pulsesOf(trace: Trace, files: readonly TraceFile[] = trace.files): Map<string, Pulse> {
  // A busy guest is looked at every now and then: the newest that is known holds until the next one is.
  const newest = trace.samples.at(-1)
  const recent = trace.samples.filter((sample) => trace.atMs - sample.atMs < NOW_MS || (sample === newest && trace.atMs - sample.atMs < NOW_MS + sample.lengthMs))
  const seconds = recent.reduce((sum, { lengthMs }) => sum + lengthMs, 0) / 1000 || 1
  const all = files.map(({ path }) => {
    const sum = { reads: 0, servedBytes: 0, writes: 0, writtenBytes: 0, clusters: 0 }
    for (const sample of recent) {
      const file = sample.files.find((one) => one.path === path)
      if (file) for (const key of KEYS) sum[key] += file[key]
    }
    return { path, sum }
  })
  const most = (key: (typeof KEYS)[number]): number => Math.max(1, ...all.map(({ sum }) => sum[key]))
  return new Map(
    all.map(({ path, sum }) => [
      path,
      {
        readsPerSecond: sum.reads / seconds,
        servedPerSecond: sum.servedBytes / seconds,
        writesPerSecond: sum.writes / seconds,
        writtenPerSecond: sum.writtenBytes / seconds,
        clustersPerSecond: sum.clusters / seconds,
        served: sum.servedBytes / most('servedBytes'),
        written: sum.writtenBytes / most('writtenBytes')
      }
    ])
  )
}
const KEYS = ['reads', 'servedBytes', 'writes', 'writtenBytes', 'clusters'] as const

/** The time line: how much each layer served and took in each moment, 0 to 1 beside the busiest moment of all layers. */
export interface Strip {
  path: string
  served: number[]
  written: number[]
}

export const STRIP_COLUMNS = 120
const COLUMN_MS = 250

export function stripsOf(trace: Trace, files: readonly TraceFile[]): Strip[] {
  const rates = files.map(({ path }) => ({ path, served: columnsOf(trace, path, 'servedBytes'), written: columnsOf(trace, path, 'writtenBytes') }))
  const most = Math.max(1, ...rates.flatMap(({ served, written }) => [...served, ...written]))
  // By the root: beside a burst, single reads are still seen.
  const drawn = (values: number[]): number[] => values.map((value) => Math.sqrt(value / most))
  return rates.map(({ path, served, written }) => ({ path, served: drawn(served), written: drawn(written) }))
}

/** Bytes a second in each column of time, the newest last. */
function columnsOf(trace: Trace, path: string, key: 'servedBytes' | 'writtenBytes'): number[] {
  const columns = Array<number>(STRIP_COLUMNS).fill(0)
  for (const { atMs, lengthMs, files } of trace.samples) {
    const bytes = files.find((file) => file.path === path)?.[key] ?? 0
    if (bytes === 0) continue
    const last = STRIP_COLUMNS - 1 - Math.floor((trace.atMs - atMs) / COLUMN_MS)
    const first = last - Math.max(0, Math.round(lengthMs / COLUMN_MS) - 1)
    for (let column = Math.max(0, first); column <= last; column++) columns[column] = (bytes / Math.max(1, lengthMs)) * 1000
  }
  return columns
}
