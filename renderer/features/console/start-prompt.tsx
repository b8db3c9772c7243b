import type { ReactNode } from 'react'
import { CircleAlert, LoaderCircle, Play, type LucideIcon } from 'lucide-react'
import type { Machine } from '#contract'
import { Banner, Button, EmptyState } from '#ui'
import { attempt, attemptTask } from '../../app'

function StartButton({ machine, primary }: { machine: Machine; primary?: boolean }) {
  const start = (): void => void attemptTask('machine.start', { machine: machine.id })
  return (
    <Button variant={primary ? 'primary' : 'plain'} icon={Play} busy={machine.state.kind === 'starting'} onClick={start}>
      Start
    </Button>
  )
}

/** In place of a console, display or monitor: the machine does not run. What would be here, and Start. */
export function StartPrompt({ machine, icon, children }: { machine: Machine; icon: LucideIcon; children: ReactNode }) {
  const { state, name } = machine
  if (state.kind === 'broken') {
    return (
      <EmptyState icon={CircleAlert} title={`${name} cannot be used`}>
        {state.message}
      </EmptyState>
    )
  }
  if (state.kind === 'starting') return <EmptyState icon={LoaderCircle} title={`${name} is starting`} />
  return (
    <EmptyState icon={icon} title={state.kind === 'crashed' ? `${name} ended unexpectedly` : `${name} is off`} actions={<StartButton machine={machine} primary />}>
      {(state.kind === 'crashed' || state.kind === 'stopped') && <p>{state.exit.reason}</p>}
      <p>{children}</p>
    </EmptyState>
  )
}

/** Above a console of the past: how the machine ended, and Start. */
export function StartBanner({ machine, children }: { machine: Machine; children: ReactNode }) {
  const { state, name } = machine
  const ended = state.kind === 'crashed' || state.kind === 'stopped' ? state.exit.reason : ''
  return (
    <Banner flush tone={state.kind === 'crashed' ? 'error' : 'info'} actions={<StartButton machine={machine} />}>
      {`${name} is off. ${ended} `}
      {children}
    </Banner>
  )
}

/** Above a console or display of a paused machine. */
export function PausedBanner({ machine }: { machine: Machine }) {
  if (machine.state.kind !== 'paused') return null
  return (
    <Banner flush tone="warning" actions={<Button onClick={() => void attempt('machine.resume', { machine: machine.id })}>Resume</Button>}>
      {`${machine.name} is paused. It takes what is typed when it goes on.`}
    </Banner>
  )
}
