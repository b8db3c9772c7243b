import { useState, type ReactNode } from 'react'
import { CircleAlert, LoaderCircle, Play, type LucideIcon } from 'lucide-react'
import type { AppError, Machine } from '#contract'
import { Banner, Button, EmptyState, ErrorNotice } from '#ui'
import { call, shell } from '../../app'

/** Starts a machine; what keeps it from being started at all is shown, what goes wrong later is the task's to tell. */
function useStart(machine: Machine): { start: () => void; error: AppError | null; busy: boolean } {
  const [error, setError] = useState<AppError | null>(null)
  const [busy, setBusy] = useState(false)
  const start = (): void => {
    setBusy(true)
    void call('machine.start', { machine: machine.id }).then((answered) => {
      setBusy(false)
      setError(answered.ok ? null : answered.error)
    })
  }
  return { start, error, busy: busy || machine.state.kind === 'starting' }
}

const copy = (text: string): void => void shell().writeClipboard(text)

/** In place of a console, display or monitor: the machine does not run. What would be here, and Start. */
export function StartPrompt({ machine, icon, children }: { machine: Machine; icon: LucideIcon; children: ReactNode }) {
  const { start, error, busy } = useStart(machine)
  const { state } = machine
  if (state.kind === 'broken') {
    return (
      <EmptyState icon={CircleAlert} title={`${machine.name} cannot be used`}>
        {state.message}
      </EmptyState>
    )
  }
  if (state.kind === 'starting') return <EmptyState icon={LoaderCircle} title={`${machine.name} is starting`} />
  return (
    <EmptyState
      icon={icon}
      title={state.kind === 'crashed' ? `${machine.name} ended unexpectedly` : `${machine.name} is off`}
      actions={
        <Button variant="primary" icon={Play} busy={busy} onClick={start}>
          Start
        </Button>
      }
    >
      {(state.kind === 'crashed' || state.kind === 'stopped') && <p>{state.exit.reason}</p>}
      <p>{children}</p>
      {error && <ErrorNotice error={error} onCopy={copy} />}
    </EmptyState>
  )
}

/** Above a console of the past: how the machine ended, and Start. */
export function StartBanner({ machine, children }: { machine: Machine; children: ReactNode }) {
  const { start, error, busy } = useStart(machine)
  const { state } = machine
  const ended = state.kind === 'crashed' || state.kind === 'stopped' ? state.exit.reason : ''
  return (
    <>
      <Banner
        flush
        tone={state.kind === 'crashed' ? 'error' : 'info'}
        actions={
          <Button icon={Play} busy={busy} onClick={start}>
            Start
          </Button>
        }
      >
        {`${machine.name} is off. ${ended} `}
        {children}
      </Banner>
      {error && <ErrorNotice flush error={error} onCopy={copy} />}
    </>
  )
}

/** Above a console or display of a paused machine. */
export function PausedBanner({ machine }: { machine: Machine }) {
  const [error, setError] = useState<AppError | null>(null)
  if (machine.state.kind !== 'paused') return null
  const resume = (): void => void call('machine.resume', { machine: machine.id }).then((answered) => setError(answered.ok ? null : answered.error))
  return (
    <>
      <Banner flush tone="warning" actions={<Button onClick={resume}>Resume</Button>}>
        {`${machine.name} is paused. It takes what is typed when it goes on.`}
      </Banner>
      {error && <ErrorNotice flush error={error} onCopy={copy} />}
    </>
  )
}
