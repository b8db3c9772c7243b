import { useState } from 'react'
import { create } from 'zustand'
import { Gauge } from 'lucide-react'
import type { AppError, Machine, ShareBench, ShareTransport, ShareWorkload } from '#contract'
import { Button, Dialog, EmptyState, ErrorNotice, Field, formatRate, RelativeTime, Select } from '#ui'
import { attempt, callTask, copyText, hasEnded, useMachines, useTasks } from '../../app'
import { TaskProgress } from '../tasks'
import { sayLatency } from './rates'
import styles from './compare.module.css'

/** The last measurement, until the window is closed. */
const useCompared = create<{ result: ShareBench | null }>(() => ({ result: null }))

const WORKLOADS: Record<ShareWorkload, string> = {
  'read-4k-1': '4 KiB reads, one at a time',
  'read-4k-32': '4 KiB reads, 32 at a time',
  'write-4k-1': '4 KiB writes, one at a time',
  'write-4k-32': '4 KiB writes, 32 at a time',
  'read-1m': '1 MiB reads in a row',
  'write-1m': '1 MiB writes in a row'
}
const TRANSPORTS: Record<ShareTransport, string> = { 'vhost-user-blk': 'vhost-user-blk', nbd: 'NBD', local: 'its own disk' }

/** Whether a machine can be measured now, and why not. */
function whyNotMeasured(machine: Machine): string | null {
  if (machine.state.kind !== 'running') return 'is off'
  if (machine.definition?.sharedMemory !== true || machine.pending.includes('shared memory')) return 'runs without shareable memory'
  return null
}

/** Three equal scratch disks in a guest, one by each transport: how fast it reads and writes them. */
export function CompareDialog({ onClose }: { onClose: () => void }) {
  const machines = Object.values(useMachines((state) => state.byId)).filter((one) => whyNotMeasured(one) === null)
  const [picked, setPicked] = useState<string | null>(null)
  const [error, setError] = useState<AppError | null>(null)
  const { result } = useCompared()
  const running = useTasks((state) => Object.values(state.byId).find((task) => task.operation === 'share.bench' && !hasEnded(task)))
  const chosen = machines.find(({ id }) => id === picked) ?? machines[0]
  const measure = async (): Promise<void> => {
    if (!chosen) return
    setError(null)
    const answer = await callTask('share.bench', { machine: chosen.id, seconds: 1, rounds: 3 })
    if (answer.ok) useCompared.setState({ result: answer.value })
    else if (answer.error.code !== 'cancelled') setError(answer.error)
  }
  return (
    <Dialog
      title="Compare transports"
      description="A guest is given three equal scratch disks, and loads them in turn: one by vhost-user-blk, as disks are shared, one over NBD, and one of its own. Then they are taken off."
      onClose={onClose}
      width={640}
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          {running ? (
            <Button onClick={() => void attempt('task.cancel', { taskId: running.id })}>Cancel the measurement</Button>
          ) : (
            <Button variant="primary" icon={Gauge} blocked={chosen ? null : 'No machine runs that could be measured.'} onClick={() => void measure()}>
              {result ? 'Measure again' : 'Measure'}
            </Button>
          )}
        </>
      }
    >
      {error && <ErrorNotice error={error} onCopy={copyText} />}
      {running && <TaskProgress task={running} />}
      {!running && chosen && (
        <Field label="Machine" layout="row" hint="Takes about a minute, and slows other machines down. The guest needs fio, as the built-in one has, and 256 MiB of memory.">
          <Select label="Machine" value={chosen.id} options={machines.map(({ id, name }) => ({ value: id, label: name }))} onChange={setPicked} />
        </Field>
      )}
      {!running && !chosen && !result && (
        <EmptyState icon={Gauge} title="No machine to measure in">
          Start a machine that runs with shareable memory: any that has a shared disk does; others are set so in their settings.
        </EmptyState>
      )}
      {result && <Compared result={result} />}
    </Dialog>
  )
}

/** Bars on one scale for each kind of load. */
export function Compared({ result }: { result: ShareBench }) {
  const workloads = [...new Set(result.figures.map(({ workload }) => workload))]
  return (
    <figure className={styles.chart}>
      {workloads.map((workload) => (
        <Load key={workload} workload={workload} figures={result.figures.filter((figure) => figure.workload === workload)} />
      ))}
      <figcaption className={styles.note}>
        Measured in {result.machine} <RelativeTime atMs={result.atMs} />: the median of {result.rounds} runs of {result.seconds} s each, past the guest’s memory.
      </figcaption>
    </figure>
  )
}

function Load({ workload, figures }: { workload: ShareWorkload; figures: ShareBench['figures'] }) {
  const best = Math.max(1, ...figures.map(({ perSecond }) => perSecond))
  const of = (transport: ShareTransport): number | undefined => figures.find((figure) => figure.transport === transport)?.perSecond
  const [shared, nbd] = [of('vhost-user-blk'), of('nbd')]
  return (
    <section className={styles.load} aria-label={WORKLOADS[workload]}>
      <h3>
        {WORKLOADS[workload]}
        {shared !== undefined && nbd !== undefined && nbd > 0 && <small>{(shared / nbd).toFixed(2)} times NBD</small>}
      </h3>
      <ul>
        {figures.map((figure) => (
          <li key={figure.transport} data-transport={figure.transport}>
            <span>{TRANSPORTS[figure.transport]}</span>
            <span className={styles.lane} aria-hidden>
              <span style={{ transform: `scaleX(${figure.perSecond / best})` }} />
            </span>
            <span className={styles.figure}>{workload.endsWith('1m') ? formatRate(figure.bytesPerSecond) : `${Math.round(figure.perSecond).toLocaleString('en-GB')}/s`}</span>
            <span className={styles.latency}>99 % {sayLatency(figure.p99Ns / 1e6)}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
