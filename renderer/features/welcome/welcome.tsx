import { useState } from 'react'
import { Layers } from 'lucide-react'
import type { AppError, Availability, Host } from '#contract'
import { Button, CopyLine, EmptyState, ErrorNotice, StrataGlyph, type Layer } from '#ui'
import { allMachines, attempt, callTask, copyText, machineById, useHost, useMachines, usePlaces, useTasks } from '../../app'
import { freeName } from '../machines'
import { TaskProgress } from '../tasks'
import styles from './welcome.module.css'

/** The product's picture: ground that stays as it is, strata above it, the topmost takes what is written. */
const PICTURE: Layer[] = [
  { label: 'a base, stays as it is', sizeBytes: 2 ** 30, kind: 'ground' },
  { label: 'an overlay', sizeBytes: 2 ** 24, kind: 'stratum' },
  { label: 'an overlay', sizeBytes: 2 ** 21, kind: 'stratum' },
  { label: 'the active layer, takes what the guest writes', sizeBytes: 2 ** 20, kind: 'active' }
]

export interface WelcomeProps {
  /** The first machine runs: shows it. */
  onReady: (machineId: string) => void
  onCreateOther: () => void
  onTour: () => void
}

/** Where no machine is chosen. With none in the library: the first one is one button away. */
export function Welcome({ onReady, onCreateOther, onTour }: WelcomeProps) {
  const empty = useMachines((state) => Object.keys(state.byId).length === 0)
  const host = useHost((state) => state.host)
  const [title, setTitle] = useState<string | null>(null)
  /** The machine that this page has made. */
  const [made, setMade] = useState<string | null>(null)
  const [error, setError] = useState<AppError | null>(null)
  const task = useTasks((state) =>
    title === null ? undefined : Object.values(state.byId).find((one) => one.state.kind === 'running' && one.subject === title)
  )

  const begin = async (): Promise<void> => {
    // What an attempt before has made is started: another attempt makes no second machine.
    const existing = made !== null ? machineById(made) : undefined
    const name = existing?.name ?? firstName()
    setTitle(name)
    setError(null)
    const created = existing ? { ok: true as const, value: existing } : await callTask('machine.create', { name, source: 'builtin' })
    if (created.ok) setMade(created.value.id)
    const started = created.ok ? await callTask('machine.start', { machine: created.value.id }) : created
    setTitle(null)
    if (!started.ok) return setError(started.error)
    await attempt('settings.edit', { welcomed: true })
    // Whoever went somewhere else meanwhile is not pulled back.
    if (usePlaces.getState().place.kind === 'home') onReady(started.value.id)
  }

  if (!empty && title === null && !error) {
    return (
      <EmptyState icon={Layers} title="No machine is chosen" actions={<Button onClick={onCreateOther}>New machine…</Button>}>
        Choose one at the left, or create another.
      </EmptyState>
    )
  }
  const missing = whatIsMissing(host)
  return (
    <div className={styles.welcome}>
      <StrataGlyph layers={PICTURE} width={148} height={92} />
      <h1>Welcome to Strata</h1>
      <p>
        Virtual machines on your own computer, with nothing hidden: their consoles and screens, QEMU’s monitor, and what their disks stand
        on.
      </p>
      <Button variant="primary" size="large" autoFocus busy={title !== null} blocked={missing?.reason ?? null} onClick={() => void begin()}>
        Create and start your first machine
      </Button>
      <div className={styles.state} aria-live="polite">
        {task && <TaskProgress task={task} />}
        {error && <ErrorNotice error={error} onCopy={copyText} />}
        {missing && (
          <>
            <p>{missing.reason}</p>
            {missing.install && <CopyLine text={missing.install} onCopy={copyText} />}
          </>
        )}
        {!task && !error && !missing && (
          <p className={styles.quiet}>
            A small Linux that boots in seconds. It comes with Strata, and takes 256 MiB of memory while it runs.
          </p>
        )}
      </div>
      <div className={styles.others}>
        <Button variant="quiet" onClick={onCreateOther}>
          Create another kind of machine…
        </Button>
        <Button variant="quiet" onClick={onTour}>
          Take the guided tour
        </Button>
      </div>
    </div>
  )
}

/** Plain `first-lab` for as long as nobody has it. */
const firstName = (): string => (allMachines().some(({ name }) => name.toLowerCase() === FIRST) ? freeName(FIRST) : FIRST)
const FIRST = 'first-lab'

function whatIsMissing(host: Host | null): { reason: string; install?: string | undefined } | null {
  if (!host) return null
  if (host.qemuMissing) return { reason: host.qemuMissing.message, install: host.qemuMissing.install }
  const guest: Availability = host.builtinGuest
  return guest.available ? null : { reason: `The built-in guest cannot be used: ${guest.reason}.`, install: guest.install }
}
