import { useEffect, useSyncExternalStore } from 'react'
import type { Machine, MetricsSample } from '#contract'
import { call } from '../../../app'

const EVERY_MS = 1000
/** What a chart shows. */
export const SPAN_MS = 3 * 60_000
/** Two readings further apart say nothing about the time between: the page was hidden, or the machine paused. */
const GAP_MS = 6000
/** Histories of machines that were shown before, so that a look elsewhere does not empty the charts. */
const HISTORIES_KEPT = 12

/** The readings of one machine, and what is computed from them for the charts. */
export interface Charted {
  times: readonly number[]
  /** Processors in use: 1.5 is one and a half. */
  cpu: readonly (number | null)[]
  memory: readonly (number | null)[]
  diskRead: readonly (number | null)[]
  diskWritten: readonly (number | null)[]
  received: readonly (number | null)[]
  sent: readonly (number | null)[]
}

const NOTHING: Charted = { times: [], cpu: [], memory: [], diskRead: [], diskWritten: [], received: [], sent: [] }

/** Rates from counters. After a restart the counters begin anew: then, and after a gap, there is no rate. */
export function chartedOf(samples: readonly MetricsSample[]): Charted {
  const rate = (counter: (sample: MetricsSample) => number | null): (number | null)[] =>
    samples.map((sample, index) => {
      const before = samples[index - 1]
      if (!before) return null
      const [from, to] = [counter(before), counter(sample)]
      const elapsedMs = sample.atMs - before.atMs
      if (from === null || to === null || to < from || elapsedMs <= 0 || elapsedMs > GAP_MS) return null
      return (to - from) / (elapsedMs / 1000)
    })
  return {
    times: samples.map((sample) => sample.atMs),
    cpu: rate((sample) => sample.cpuSeconds),
    memory: samples.map((sample) => sample.residentBytes),
    diskRead: rate((sample) => sample.diskReadBytes),
    diskWritten: rate((sample) => sample.diskWrittenBytes),
    received: rate((sample) => sample.networkReceivedBytes),
    sent: rate((sample) => sample.networkSentBytes)
  }
}

/**
 * Reads a machine's counters once a second while somebody looks at them. The next reading is asked for when the last one has
 * come, so a slow answer never piles up; while the page is hidden nothing is read.
 */
class Meter {
  private samples: MetricsSample[] = []
  private readonly listeners = new Set<() => void>()
  private timer: ReturnType<typeof setTimeout> | null = null
  charted: Charted = NOTHING

  constructor(private readonly machine: string) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  /** Answers the function that ends it. */
  run(): () => void {
    let over = false
    const step = async (): Promise<void> => {
      const startedMs = Date.now()
      if (document.visibilityState !== 'hidden') await this.read()
      if (!over) this.timer = setTimeout(() => void step(), Math.max(100, EVERY_MS - (Date.now() - startedMs)))
    }
    void step()
    return () => {
      over = true
      if (this.timer) clearTimeout(this.timer)
    }
  }

  private async read(): Promise<void> {
    const result = await call('machine.metrics', { machine: this.machine })
    // The machine may just have ended: its state says so.
    if (!result.ok) return
    const sample = result.value
    this.samples = [...this.samples.filter((one) => one.atMs < sample.atMs && one.atMs >= sample.atMs - SPAN_MS), sample]
    this.charted = chartedOf(this.samples)
    this.listeners.forEach((listener) => listener())
  }
}

const meters = new Map<string, Meter>()

function meterOf(id: string): Meter {
  const meter = meters.get(id) ?? new Meter(id)
  // The one used last stands last.
  meters.delete(id)
  meters.set(id, meter)
  for (const oldest of meters.keys()) {
    if (meters.size <= HISTORIES_KEPT) break
    meters.delete(oldest)
  }
  return meter
}

/** A machine's charts; read on while it runs and this is mounted. */
export function useMetrics({ id, state }: Machine): Charted {
  const runs = state.kind === 'running' || state.kind === 'stopping'
  const meter = meterOf(id)
  useEffect(() => (runs ? meter.run() : undefined), [meter, runs])
  return useSyncExternalStore(meter.subscribe, () => meter.charted)
}
