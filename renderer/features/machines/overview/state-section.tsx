import type { Machine } from '#contract'
import { copyText, goToMachine } from '../../../app'
import { Button } from '../../../ui/button'
import { Banner, Details, DetailsText } from '../../../ui/notice'
import { CountDown, RelativeTime } from '../../../ui/time'
import { sentenceOf } from '../words'
import styles from './overview.module.css'

/** What is to be said of a machine's state beyond its word: how it ended, what it waits for, what is wrong. */
export function StateSection({ machine }: { machine: Machine }) {
  const { state } = machine
  switch (state.kind) {
    case 'created':
      return (
        <Banner tone="info">
          It was created <RelativeTime atMs={machine.definition?.createdAtMs ?? 0} /> and has not been started yet.
        </Banner>
      )
    case 'stopped':
      return (
        <Banner tone="info">
          <p>
            Stopped <RelativeTime atMs={state.exit.atMs} />. {state.exit.reason}
          </p>
          {state.exit.log.length > 0 && <Log lines={state.exit.log} />}
        </Banner>
      )
    case 'crashed':
      return (
        <Banner tone="error">
          <p className={styles.strong} data-selectable>
            {state.exit.reason}
          </p>
          <p>
            That was <RelativeTime atMs={state.exit.atMs} />. What the guest had written to its disks is there; what was only in its memory
            is lost.
          </p>
          <Log lines={[...exitFacts(state.exit), ...state.exit.log]} />
        </Banner>
      )
    case 'stopping':
      return state.overdue ? (
        <Banner tone="warning">
          <p className={styles.strong}>The guest has not powered off in time.</p>
          <p>It may still do so, and Stop asks it once more. Force off ends it at once: what the guest has not written is lost.</p>
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
        <Banner tone="error">
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
  <Details label="Log of QEMU">
    <DetailsText text={lines.join('\n')} onCopy={copyText} />
  </Details>
)

const exitFacts = ({ exitCode, signal }: { exitCode: number | null; signal: string | null }): string[] =>
  signal !== null ? [`signal ${signal}`] : exitCode !== null ? [`exit code ${exitCode}`] : []
