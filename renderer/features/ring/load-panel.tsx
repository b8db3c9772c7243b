import { useState } from 'react'
import { Gauge, ScanSearch } from 'lucide-react'
import type { ResultOf } from '#contract'
import { Banner, Button, Field, formatCount, NumberInput } from '#ui'
import { attempt, attemptTask, hasEnded, useTasks } from '../../app'
import { TaskProgress } from '../tasks'
import { formatNs, formatNumber } from './rates'
import styles from './ring.module.css'

const LIMITS = { clients: 32, threads: 256, requests: 1_000_000 }
const outside = (value: number | null, most: number): string | null => (value === null || value < 1 || value > most ? `1 to ${formatNumber(most)}` : null)

/** Client programs that read, and a single sector for a closer look. */
export function LoadPanel({ lastSector }: { lastSector: number }) {
  const [clients, setClients] = useState<number | null>(3)
  const [threads, setThreads] = useState<number | null>(4)
  const [requests, setRequests] = useState<number | null>(50_000)
  const [done, setDone] = useState<ResultOf<'ring.load'> | null>(null)
  const running = useTasks((state) => Object.values(state.byId).find((task) => task.operation.startsWith('ring.') && !hasEnded(task)))
  const errors = { clients: outside(clients, LIMITS.clients), threads: outside(threads, LIMITS.threads), requests: outside(requests, LIMITS.requests) }
  const wrong = Object.values(errors).some((error) => error !== null)
  const run = async (): Promise<void> => {
    if (clients === null || threads === null || requests === null) return
    setDone(null)
    const ended = await attemptTask('ring.load', { clients, threads, requests })
    if (ended.ok) setDone(ended.value)
  }
  return (
    <>
      <div className={styles.panels}>
      <div className={styles.panel} role="group" aria-label="Load">
        <Field label="Clients" error={errors.clients}>
          <NumberInput value={clients} onChange={setClients} min={1} max={LIMITS.clients} />
        </Field>
        <Field label="Threads of each" error={errors.threads}>
          <NumberInput value={threads} onChange={setThreads} min={1} max={LIMITS.threads} />
        </Field>
        <Field label="Sectors of each" error={errors.requests}>
          <NumberInput value={requests} onChange={setRequests} min={1} max={LIMITS.requests} step={10_000} />
        </Field>
        <Button
          icon={Gauge}
          variant="primary"
          blocked={wrong ? 'A number is out of its range.' : null}
          busy={running?.operation === 'ring.load'}
          onClick={() => void run()}
        >
          Run
        </Button>
      </div>
      <OneSector lastSector={lastSector} />
      </div>
      {running && (
        <div className={styles.running}>
          <TaskProgress task={running} />
          <Button size="small" onClick={() => void attempt('task.cancel', { taskId: running.id })}>
            Cancel
          </Button>
        </div>
      )}
      {done && !running && <LoadDone done={done} />}
    </>
  )
}

function LoadDone({ done: { clients, fairness } }: { done: ResultOf<'ring.load'> }) {
  const sectors = clients.reduce((sum, client) => sum + client.requests, 0)
  const slowest = Math.max(...clients.map((client) => client.maxNs))
  return (
    <Banner tone="good">
      <p>
        {formatCount(clients.length, 'client')} read {formatNumber(sectors)} sectors; each was compared with the image, and is right.
      </p>
      <p>
        {formatNumber(clients.reduce((sum, client) => sum + client.perSecond, 0))} reads/s in all, fairness {fairness.toFixed(3)}, the slowest answer took{' '}
        {formatNs(slowest)}.
      </p>
    </Banner>
  )
}

/** Strata itself as a client: one request at a time, so that one sees the indexes move by one. */
function OneSector({ lastSector }: { lastSector: number }) {
  const [sector, setSector] = useState<number | null>(7)
  const [read, setRead] = useState<ResultOf<'ring.read'> | null>(null)
  const wrong = sector === null || sector > lastSector
  const ask = async (): Promise<void> => {
    if (sector === null) return
    const answer = await attempt('ring.read', { sector })
    setRead(answer.ok ? answer.value : null)
  }
  return (
    <div className={styles.panel} role="group" aria-label="One sector">
      <Field label="One sector" error={wrong ? `0 to ${formatNumber(lastSector)}` : null}>
        <NumberInput value={sector} onChange={setSector} min={0} max={lastSector} />
      </Field>
      <Button icon={ScanSearch} blocked={wrong ? 'There is no such sector.' : null} onClick={() => void ask()}>
        Read
      </Button>
      <output className={styles.bytes}>{read ? `${formatNs(read.ns)}: ${firstBytes(read.bytesBase64)} …` : ''}</output>
    </div>
  )
}

const firstBytes = (base64: string): string =>
  [...atob(base64.slice(0, 8))].slice(0, 5).map((char) => char.charCodeAt(0).toString(16).padStart(2, '0')).join(' ')
