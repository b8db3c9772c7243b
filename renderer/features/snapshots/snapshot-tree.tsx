import { useState, type DragEvent, type KeyboardEvent } from 'react'
import { CircleDot, MonitorOff, Power, TriangleAlert } from 'lucide-react'
import { cx, formatSize, RelativeTime, tip } from '#ui'
import { SNAPSHOT_DRAG, useDragEnd } from '../../app'
import { openSnapshot } from './open'
import { Screen } from './screen'
import type { TreeRow } from './tree'
import styles from './snapshots.module.css'

export interface TreeProps {
  /** Whose snapshots they are: its id. */
  machine: string
  /** What that is, or was, called. */
  name: string
  /** Whether it is still here: what is not cannot be taken back. */
  there: boolean
  rows: readonly TreeRow[]
  selected: string
  onSelect: (id: string) => void
}

/**
 * A machine's snapshots. Arrow keys move, Enter restores. A snapshot that is dragged onto “now” restores it; onto the list of machines it makes a
 * new one.
 */
export function SnapshotTree({ machine, name, there, rows, selected, onSelect }: TreeProps) {
  const order = rows.flatMap((row) => (row.kind === 'snapshot' ? [row.snapshot.id] : []))
  const choose = (id: string): void => {
    onSelect(id)
    document.getElementById(`snapshot-${id}`)?.scrollIntoView({ block: 'nearest' })
  }
  const go = (id: string): void => openSnapshot(machine, there ? 'restore' : 'clone', id)
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = order.indexOf(selected)
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: order.length - 1 }[event.key]
    if (event.key === 'Enter') go(selected)
    else if (event.key === 'Delete') openSnapshot(machine, 'remove', selected)
    else if (next === undefined) return
    else choose(order[Math.max(0, Math.min(order.length - 1, next))] ?? selected)
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <ul className={styles.tree} role="listbox" aria-label={`Snapshots of ${name}`} aria-activedescendant={`snapshot-${selected}`} tabIndex={0} onKeyDown={onKeyDown}>
      {rows.map((row) =>
        row.kind === 'now' ? (
          <Now key="now" machine={machine} row={row} />
        ) : (
          <Row key={row.snapshot.id} row={row} chosen={row.snapshot.id === selected} onSelect={() => onSelect(row.snapshot.id)} onOpen={() => go(row.snapshot.id)} />
        )
      )}
    </ul>
  )
}

/** A snapshot of this machine is dragged: only the types of what is dragged can be seen before it is dropped. */
const dragOf = (machine: string): string => `${SNAPSHOT_DRAG}-of-${machine}`

interface RowProps {
  row: Extract<TreeRow, { kind: 'snapshot' }>
  chosen: boolean
  onSelect: () => void
  onOpen: () => void
}

function Row({ row, chosen, onSelect, onOpen }: RowProps) {
  const { snapshot, depth } = row
  return (
    <li
      id={`snapshot-${snapshot.id}`}
      role="option"
      aria-selected={chosen}
      className={cx(styles.row, chosen && styles.chosen)}
      style={{ paddingLeft: INSET + depth * STEP }}
      draggable
      onClick={onSelect}
      onDoubleClick={onOpen}
      onDragStart={(event: DragEvent) => {
        onSelect()
        event.dataTransfer.setData(SNAPSHOT_DRAG, snapshot.id)
        event.dataTransfer.setData(dragOf(snapshot.machineId), snapshot.id)
        event.dataTransfer.effectAllowed = 'copyMove'
      }}
    >
      <Lines row={row} />
      <Screen snapshot={snapshot} className={styles.thumbnail}>
        {snapshot.was === 'off' ? <Power size={16} aria-hidden /> : <MonitorOff size={16} aria-hidden />}
      </Screen>
      <div className={styles.words}>
        <span className={styles.name}>
          <span dir="auto">{snapshot.name}</span>
          {snapshot.problem !== null && <TriangleAlert size={14} aria-label="cannot be used here" {...tip(`It cannot be used here: ${snapshot.problem}.`)} />}
        </span>
        <small>
          <RelativeTime atMs={snapshot.takenAtMs} /> · {snapshot.was} · {formatSize(snapshot.ownBytes)}
        </small>
        {snapshot.note !== '' && <small className={styles.note}>{snapshot.note}</small>}
      </div>
    </li>
  )
}

/** In pixels: from the left edge to the picture, and one branch to the right. */
const INSET = 38
const STEP = 28
/** Half of the sign at “now”. */
const SIGN = 7.5
/** Where the line of a depth runs. */
const laneAt = (depth: number): number => 11 + depth * STEP

/** The lines of time that run past a row, and the one that it is on. */
function Lines({ row: { kind, depth, from, goesOn } }: { row: TreeRow }) {
  return (
    <span className={styles.lines} aria-hidden>
      {Array.from({ length: depth }, (_, lane) => (
        <i key={lane} className={styles.lane} style={{ left: laneAt(lane) }} />
      ))}
      {from === 'left' && <i className={styles.elbow} style={{ left: laneAt(depth - 1), width: STEP }} />}
      {from === 'above' && <i className={cx(styles.lane, styles.upper)} style={{ left: laneAt(depth) }} />}
      {goesOn && <i className={cx(styles.lane, styles.lower)} style={{ left: laneAt(depth) }} />}
      {kind === 'snapshot' && <i className={styles.knot} style={{ left: laneAt(depth) - 4 }} />}
    </span>
  )
}

/** Where the machine is: what a snapshot that is dropped here takes the place of. */
function Now({ machine, row }: { machine: string; row: TreeRow }) {
  const [over, setOver] = useState(false)
  useDragEnd(() => setOver(false))
  return (
    <li
      role="presentation"
      className={styles.now}
      style={{ paddingLeft: laneAt(row.depth) - SIGN, gap: INSET - laneAt(0) - SIGN }}
      data-over={over || undefined}
      data-testid="now"
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes(dragOf(machine))) return
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        const id = event.dataTransfer.getData(dragOf(machine))
        setOver(false)
        if (id === '') return
        event.preventDefault()
        openSnapshot(machine, 'restore', id)
      }}
    >
      <Lines row={row} />
      <CircleDot size={2 * SIGN} aria-hidden />
      <span>
        <b>Now</b> <small>{over ? 'drop it to go back to it' : 'you are here; drop a snapshot here to go back to it'}</small>
      </span>
    </li>
  )
}
