import { useState } from 'react'
import { create } from 'zustand'
import { Gauge } from 'lucide-react'
import type { AppError, Machine, ShareBench, ShareTransport, ShareWorkload } from '#contract'
import { WORKLOADS } from '#contract/format'
import { Button, Dialog, EmptyState, ErrorNotice, Field, formatRate, RelativeTime, Select } from '#ui'
import { attempt, callTask, copyText, goToMachine, hasEnded, useMachines, useTasks } from '../../app'
import { TaskProgress } from '../tasks'
import { sayWithin } from './rates'
import styles from './compare.module.css'

/** The last measurement, until the window is closed. */
const useCompared = create<{ result: ShareBench | null }>(() => ({ result: null }))

const TRANSPORTS: Record<ShareTransport, string> = { 'vhost-user-blk': 'vhost-user-blk', nbd: 'NBD', local: 'its own disk' }

/** Why a machine that runs cannot be measured; null when it can. */
function whyNotMeasured({ definition, pending }: Machine): string | null {
  if (!definition?.sharedMemory) return 'It runs without shared memory: see its settings.'
  return pending.includes('shared memory') ? 'It has shared memory from its next start on.' : null
}

/** Three equal scratch disks in a guest, one by each transport: how fast it reads and writes them. */
export function CompareDialog({ onClose }: { onClose: () => void }) {
  const machines = Object.values(useMachines((state) => state.byId)).filter(({ state }) => state.kind === 'running')
  const able = machines.filter((one) => whyNotMeasured(one) === null)
  const [picked, setPicked] = useState<string | null>(null)
  const [error, setError] = useState<AppError | null>(null)
  const { result } = useCompared()
  const running = useTasks((state) => Object.values(state.byId).find((task) => task.operation === 'share.bench' && !hasEnded(task)))
  const chosen = able.find(({ id }) => id === picked) ?? able[0]
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
      width={680}
      footer={
        <>
          {/* Here, so that nothing above moves when it begins and ends. */}
          {running && (
            <div className={styles.progress}>
              <TaskProgress task={running} />
            </div>
          )}
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
      {(running ?? chosen) && (
        <Field label="Machine" layout="row" hint="It takes a minute or more, and slows other machines down. The guest needs fio, as the built-in one has, and 256 MiB of memory.">
          {running ? (
            <span className={styles.machine}>{running.subject}</span>
          ) : (
            <Select
              label="Machine"
              className={styles.machine}
              value={chosen?.id ?? ''}
              options={machines.map((one) => ({ value: one.id, label: one.name, blocked: whyNotMeasured(one) }))}
              onChange={setPicked}
            />
          )}
        </Field>
      )}
      {!running && !chosen && !result && <NoneAble machine={machines[0]} />}
      {result && <Compared result={result} />}
    </Dialog>
  )
}

/** @param machine one that runs, and cannot be measured */
const NoneAble = ({ machine }: { machine: Machine | undefined }) => (
  <EmptyState icon={Gauge} title="No machine to measure in" actions={machine && <Button onClick={() => goToMachine(machine.id, 'settings')}>Settings of {machine.name}</Button>}>
    {machine
      ? 'None that runs can be measured: other processes have to be able to map its memory. Switch on “Shared memory” in the settings of one, and start it again.'
      : 'Start a machine that has “Shared memory” on in its settings. Any that has got a shared disk does.'}
  </EmptyState>
)

/** Bars on one scale for each kind of load. */
export function Compared({ result }: { result: ShareBench }) {
  const workloads = [...new Set(result.figures.map(({ workload }) => workload))]
  return (
    <figure className={styles.chart}>
      <figcaption className={styles.note}>
        Measured in {result.machine} <RelativeTime atMs={result.atMs} />: the median of {result.rounds} runs of {result.seconds} s each, past the guest’s cache. At the right, within what time 99 % of requests were answered.
      </figcaption>
      {workloads.map((workload) => (
        <Load key={workload} workload={workload} figures={result.figures.filter((figure) => figure.workload === workload)} />
      ))}
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
        {shared !== undefined && nbd !== undefined && nbd > 0 && <small>vhost-user-blk: {(shared / nbd).toFixed(2)} times NBD</small>}
      </h3>
      <ul>
        {figures.map((figure) => (
          <li key={figure.transport} data-transport={figure.transport}>
            <span>{TRANSPORTS[figure.transport]}</span>
            <span className={styles.lane} aria-hidden>
              <span style={{ transform: `scaleX(${figure.perSecond / best})` }} />
            </span>
            <span className={styles.figure}>{workload.endsWith('1m') ? formatRate(figure.bytesPerSecond) : `${Math.round(figure.perSecond).toLocaleString('en-GB')} requests/s`}</span>
            <span className={styles.latency}>{figure.p99Ns > 0 && sayWithin(figure.p99Ns)}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
