import type { Machine } from '#contract'
import { Chart } from '../../../ui/chart'
import { formatCount, formatLiveSize, formatPercent, formatRate, formatSize } from '../../../ui/format'
import { SPAN_MS, useMetrics } from './metrics'
import styles from './overview.module.css'

const MIB = 2 ** 20

/** What the machine uses of the computer, now and over the last minutes. */
export function Charts({ machine }: { machine: Machine }) {
  const charted = useMetrics(machine)
  // Paused, and nothing was read before: there is nothing to show.
  if (machine.state.kind === 'paused' && charted.times.length === 0) return null
  const cpus = machine.definition?.cpus ?? 1
  const memoryBytes = machine.definition?.memoryBytes ?? 0
  const share = charted.cpu.map((value) => (value === null ? null : Math.min(1, value / cpus)))
  const noNetwork =
    machine.definition?.nics.length === 0
      ? 'No network interface.'
      : charted.received.some((value) => value !== null)
        ? null
        : networkReason(machine)
  // QEMU's own memory comes on top of the guest's.
  const most = Math.max(memoryBytes, ...charted.memory.map((value) => value ?? 0))
  const common = { times: charted.times, spanMs: SPAN_MS, syncKey: `machine ${machine.id}` }
  return (
    <section className={styles.charts} aria-label="Use of the computer, last 3 minutes">
      <Chart
        {...common}
        title="Processor"
        note={cpus === 1 ? undefined : `share of ${formatCount(cpus, 'processor')}`}
        series={[{ label: 'in use', values: share }]}
        format={formatPercent}
        max={1}
      />
      <Chart
        {...common}
        title="Memory"
        note={`guest has ${formatSize(memoryBytes)}`}
        series={[{ label: 'of the host', values: charted.memory }]}
        format={formatLiveSize}
        max={most}
      />
      <Chart
        {...common}
        title="Disk"
        series={[
          { label: 'read', values: charted.diskRead },
          { label: 'written', values: charted.diskWritten }
        ]}
        format={formatRate}
        floor={MIB}
      />
      <Chart
        {...common}
        title="Network"
        series={[
          { label: 'in', values: charted.received },
          { label: 'out', values: charted.sent }
        ]}
        format={formatRate}
        floor={MIB / 8}
        empty={noNetwork}
      />
    </section>
  )
}

const networkReason = (machine: Machine): string =>
  machine.agent ? 'Waiting for figures from the guest agent.' : 'The guest agent does not answer: it is what counts the network’s bytes.'
