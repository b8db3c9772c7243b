import { Play, Power } from 'lucide-react'
import type { Machine } from '#contract'
import { copyText, goToMachine, openOverlay, useHost } from '../../../app'
import { Button } from '../../../ui/button'
import { Banner, Details, DetailsText, EmptyState, ErrorNotice } from '../../../ui/notice'
import { CountDown, RelativeTime } from '../../../ui/time'
import { startMachines, stopMachines } from '../actions'
import { whyNot } from '../allowed'
import { lookOf, sentenceOf } from '../words'
import styles from './overview.module.css'

/** What is to be said of a machine's state beyond its word: how it ended, what it waits for, what is wrong. */
export function StateSection({ machine }: { machine: Machine }) {
  const host = useHost((state) => state.host)
  const { state } = machine
  const start = (
    <Button variant="primary" icon={Play} blocked={whyNot('start', machine, host)} onClick={() => startMachines([machine.id])}>
      Start
    </Button>
  )
  const force = (
    <Button variant="danger" icon={Power} onClick={() => openOverlay({ kind: 'force-off', machines: [machine.id] })}>
      Force off…
    </Button>
  )
  switch (state.kind) {
    case 'created':
    case 'stopped': {
      const look = lookOf(state)
      return (
        <div className={styles.off}>
          <EmptyState icon={look.icon} title={state.kind === 'created' ? 'Ready to start' : `Stopped: ${lower(state.exit.reason)}`} actions={start}>
            {state.kind === 'stopped' ? <RelativeTime atMs={state.exit.atMs} /> : <>Created <RelativeTime atMs={machine.definition?.createdAtMs ?? 0} />, not started yet.</>}
          </EmptyState>
          {state.kind === 'stopped' && state.exit.log.length > 0 && <Log lines={state.exit.log} />}
        </div>
      )
    }
    case 'crashed':
      return (
        <ErrorNotice
          error={{ code: 'qemu-exited', message: state.exit.reason, next: 'What was running in the guest is lost; what it had written to its disks is there.', causes: exitFacts(state.exit), log: state.exit.log }}
          onCopy={copyText}
          actions={start}
        />
      )
    case 'stopping':
      return state.overdue ? (
        <Banner
          tone="warning"
          actions={
            <>
              <Button onClick={() => stopMachines([machine.id])}>Ask again</Button>
              {force}
            </>
          }
        >
          <p className={styles.strong}>The guest has not powered off in time.</p>
          <p>It may still do so. Force off ends it at once: what the guest has not written is lost.</p>
        </Banner>
      ) : (
        <Banner tone="info">
          <p>
            {sentenceOf(machine)}{' '}
            {state.askedBy !== 'force' && (
              <>
                Force is offered in <CountDown untilMs={state.deadlineMs} />.
              </>
            )}
          </p>
        </Banner>
      )
    case 'paused':
      return state.reason === '' ? null : <Banner tone="warning">{sentenceOf(machine)}</Banner>
    case 'unreachable':
      return (
        <Banner tone="error" actions={force}>
          <p className={styles.strong}>QEMU runs, but its monitor cannot be had.</p>
          <p data-selectable>{state.message}</p>
        </Banner>
      )
    case 'broken':
      return (
        <Banner tone="error">
          <p className={styles.strong}>This machine’s files cannot be used.</p>
          <p data-selectable>{state.message}</p>
          <p>Strata leaves them as they are. Repair them, or take the folder out of the library.</p>
        </Banner>
      )
    case 'starting':
    case 'running':
      return null
  }
}

/** Settings that wait for the next start. */
export function PendingBanner({ machine }: { machine: Machine }) {
  if (machine.pending.length === 0) return null
  return (
    <Banner tone="info" actions={<Button onClick={() => goToMachine(machine.id, 'settings')}>Show settings</Button>}>
      Changed, and in effect from the next start on: {machine.pending.join(', ')}.
    </Banner>
  )
}

const Log = ({ lines }: { lines: readonly string[] }) => (
  <Details label="QEMU’s last words">
    <DetailsText text={lines.join('\n')} onCopy={copyText} />
  </Details>
)

const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, '')
const exitFacts = ({ exitCode, signal }: { exitCode: number | null; signal: string | null }): string[] =>
  signal !== null ? [`signal ${signal}`] : exitCode !== null ? [`exit code ${exitCode}`] : []
