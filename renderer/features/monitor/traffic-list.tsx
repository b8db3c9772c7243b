import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowLeft, ArrowRight, ChevronRight, Copy } from 'lucide-react'
import { IconButton, formatClockSeconds } from '#ui'
import { copyText } from '../../app'
import type { TrafficEntry } from './traffic'
import styles from './monitor.module.css'

const ROW_PIXELS = 24
/** Closer to the end than this, the list follows what comes. */
const AT_END_PIXELS = 40

/** Messages, the newest at the end. Only the rows in sight are drawn. Arrow keys move, Enter or Space unfolds, Ctrl+C copies. */
export function TrafficList({ entries, follow }: { entries: readonly TrafficEntry[]; follow: boolean }) {
  const scroller = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  const [active, setActive] = useState<number | null>(null)
  const [unfolded, setUnfolded] = useState<ReadonlySet<number>>(new Set())
  const rows = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PIXELS,
    getItemKey: (index) => entries[index]?.id ?? index,
    overscan: 12
  })
  const count = entries.length
  const last = entries.at(-1)?.id
  useEffect(() => {
    if (follow && atEnd.current && count > 0) rows.scrollToIndex(count - 1, { align: 'end' })
  }, [rows, follow, count, last])

  const toggle = (id: number): void => {
    setActive(id)
    setUnfolded((before) => {
      const after = new Set(before)
      if (!after.delete(id)) after.add(id)
      return after
    })
  }
  const onScroll = (): void => {
    const { scrollHeight, scrollTop, clientHeight } = scroller.current!
    atEnd.current = scrollHeight - scrollTop - clientHeight < AT_END_PIXELS
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = entries.findIndex(({ id }) => id === active)
    const next = { ArrowDown: Math.min(at + 1, count - 1), ArrowUp: Math.max(at - 1, 0), Home: 0, End: count - 1 }[event.key]
    const entry = entries[at]
    if (next !== undefined) {
      setActive(entries[next]?.id ?? null)
      rows.scrollToIndex(next)
    } else if (entry && (event.key === 'Enter' || event.key === ' ')) toggle(entry.id)
    else if (entry && event.ctrlKey && event.key === 'c' && getSelection()?.isCollapsed !== false) copyText(pretty(entry))
    else return
    event.preventDefault()
  }

  return (
    <div
      ref={scroller}
      role="listbox"
      aria-label="QMP messages"
      aria-activedescendant={active === null ? undefined : `qmp-${active}`}
      tabIndex={0}
      className={styles.traffic}
      data-testid="qmp-traffic"
      onScroll={onScroll}
      onKeyDown={onKeyDown}
    >
      <div className={styles.rows} style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((row) => {
          const entry = entries[row.index]
          return (
            entry && (
              <div key={row.key} ref={rows.measureElement} data-index={row.index} className={styles.place} style={{ transform: `translateY(${row.start}px)` }}>
                <Row entry={entry} active={entry.id === active} unfolded={unfolded.has(entry.id)} onToggle={() => toggle(entry.id)} />
              </div>
            )
          )
        })}
      </div>
    </div>
  )
}

function Row({ entry, active, unfolded, onToggle }: { entry: TrafficEntry; active: boolean; unfolded: boolean; onToggle: () => void }) {
  const Arrow = entry.direction === 'sent' ? ArrowRight : ArrowLeft
  return (
    <div id={`qmp-${entry.id}`} role="option" aria-selected={active} aria-expanded={unfolded} className={styles.entry} data-kind={entry.kind}>
      <div className={styles.head} onClick={onToggle}>
        <ChevronRight size={12} aria-hidden className={styles.fold} />
        <time>{formatClockSeconds(entry.atMs)}</time>
        <span className={styles.direction} aria-label={entry.direction}>
          <Arrow size={13} aria-hidden />
        </span>
        <span className={styles.kind}>{KIND[entry.kind]}</span>
        <span className={styles.name}>{entry.name}</span>
        <span className={styles.json}>{unfolded ? '' : brief(entry)}</span>
        {entry.tookMs !== null && <span className={styles.took}>{entry.tookMs < 1 ? '<1' : Math.round(entry.tookMs)} ms</span>}
        <IconButton
          size="small"
          icon={Copy}
          label="Copy as JSON"
          className={styles.copy}
          tabIndex={-1}
          onClick={(event) => {
            event.stopPropagation()
            copyText(pretty(entry))
          }}
        />
      </div>
      {unfolded && (
        <pre className={styles.pretty} data-selectable>
          {pretty(entry)}
        </pre>
      )}
    </div>
  )
}

const KIND: Record<TrafficEntry['kind'], string> = { command: 'command', return: 'return', error: 'error', event: 'event', greeting: 'greeting', other: 'message' }
const BRIEF = 400
/** What matters of a message on one line: of a command its arguments, of an answer what it holds. */
function brief({ json, kind }: TrafficEntry): string {
  if (json.length > 20_000) return json.slice(0, BRIEF) // not worth the parsing
  const message = JSON.parse(json) as Record<string, unknown>
  const part = { command: message.arguments, return: message.return, error: message.error, event: message.data, greeting: message.QMP, other: message }[kind]
  return part === undefined ? '' : JSON.stringify(part).slice(0, BRIEF)
}
const pretty = ({ json }: TrafficEntry): string => JSON.stringify(JSON.parse(json), null, 2)
