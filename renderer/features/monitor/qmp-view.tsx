import { useEffect, useMemo, useState, type ReactNode } from 'react'
import { Eraser, Pause, Play, Unplug } from 'lucide-react'
import { useStore } from 'zustand'
import type { Machine } from '#contract'
import { Button, EmptyState, ErrorNotice, formatCount, IconButton, SearchField, Switch } from '#ui'
import { copyText, createPersisted } from '../../app'
import { QmpLine } from './qmp-line'
import { TrafficList } from './traffic-list'
import { passes, type TrafficEntry } from './traffic'
import { trafficSessionOf } from './traffic-session'
import styles from './monitor.module.css'

const useQmpLook = createPersisted<{ hidePolling: boolean }>('qmp', { hidePolling: true }, ({ hidePolling }) => typeof hidePolling === 'boolean')

/** The live QMP traffic of a machine, and a line to send a command of one's own. */
export function QmpView({ machine, choice }: { machine: Machine; choice: ReactNode }) {
  const session = trafficSessionOf(machine.id)
  const { entries, error } = useStore(session.store)
  const { hidePolling } = useQmpLook()
  const [text, setText] = useState('')
  const [asked, setAsked] = useState<ReadonlySet<string>>(new Set())
  /** While paused: the entries as they were. */
  const [frozen, setFrozen] = useState<readonly TrafficEntry[] | null>(null)
  useEffect(() => session.listen(), [session])

  const all = frozen ?? entries
  const shown = useMemo(() => all.filter((entry) => passes(entry, { text, hidePolling, asked })), [all, text, hidePolling, asked])
  const total = all.length

  return (
    <div className={styles.monitor}>
      <div className={styles.bar}>
        {choice}
        <div className={styles.filter}>
          <SearchField value={text} onChange={setText} label="Filter messages" />
        </div>
        <Switch checked={hidePolling} onChange={(hide) => useQmpLook.setState({ hidePolling: hide })} label="Hide polling" />
        <span className={styles.space} />
        <span className={styles.note}>{shown.length === total ? formatCount(total, 'message') : `${shown.length} of ${formatCount(total, 'message')}`}</span>
        <Button size="small" variant="quiet" icon={frozen ? Play : Pause} aria-pressed={frozen !== null} onClick={() => setFrozen(frozen ? null : entries)}>
          {frozen ? 'Go on' : 'Pause'}
        </Button>
        <IconButton size="small" icon={Eraser} label="Clear" onClick={() => session.clear()} />
      </div>
      {error && <ErrorNotice flush error={{ ...error, next: 'Trying again.' }} onCopy={copyText} />}
      {shown.length > 0 ? (
        <TrafficList entries={shown} follow={frozen === null} />
      ) : (
        <EmptyState icon={Unplug} title={total > 0 ? 'No message passes the filter' : 'Nothing was said yet'}>
          {total > 0 && hidePolling ? 'What the window asks for again and again is hidden.' : 'Messages between Strata and QEMU appear here as they are sent. Try a command below.'}
        </EmptyState>
      )}
      <QmpLine machine={machine} onAsk={(command) => setAsked((before) => new Set(before).add(command))} />
    </div>
  )
}
