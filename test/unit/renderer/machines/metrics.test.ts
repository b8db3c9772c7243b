import { describe, expect, it } from 'vitest'
import type { MetricsSample } from '#contract'
import { chartedOf } from '../../../../renderer/features/machines/overview/metrics'

const sample = (change: Partial<MetricsSample>): MetricsSample => ({
  atMs: 0,
  cpuSeconds: 0,
  residentBytes: 100,
  diskReadBytes: 0,
  diskWrittenBytes: 0,
  networkReceivedBytes: null,
  networkSentBytes: null,
  ...change
})

describe('rates', () => {
  it('are differences by the time between the readings, not by the time between the calls', () => {
    const { cpu, diskRead, memory } = chartedOf([sample({ atMs: 0 }), sample({ atMs: 2000, cpuSeconds: 3, diskReadBytes: 8192 })])
    expect(cpu).toEqual([null, 1.5])
    expect(diskRead).toEqual([null, 4096])
    expect(memory).toEqual([100, 100])
  })
  it('are unknown across a restart, where counters begin anew', () => {
    expect(
      chartedOf([
        sample({ atMs: 0, diskReadBytes: 9000 }),
        sample({ atMs: 1000, diskReadBytes: 10 }),
        sample({ atMs: 2000, diskReadBytes: 110 })
      ]).diskRead
    ).toEqual([null, null, 100])
  })
  it('are unknown across a gap in which nobody looked', () => {
    expect(chartedOf([sample({ atMs: 0 }), sample({ atMs: 60_000, cpuSeconds: 60 })]).cpu).toEqual([null, null])
  })
  it('of the network are unknown while the guest agent does not answer', () => {
    expect(
      chartedOf([sample({ atMs: 0 }), sample({ atMs: 1000, networkReceivedBytes: 5 }), sample({ atMs: 2000, networkReceivedBytes: 10 })])
        .received
    ).toEqual([null, null, 5])
  })
})
