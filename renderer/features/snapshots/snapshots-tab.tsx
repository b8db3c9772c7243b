import { useState, type DragEvent, type KeyboardEvent } from 'react'
import { Archive, Camera, CircleDot, EllipsisVertical, FileOutput, GraduationCap, MonitorOff, Power, ShieldCheck } from 'lucide-react'
import type { Machine, Snapshot } from '#contract'
import { Button, cx, EmptyState, formatCount, formatExact, formatSize, IconButton, Menu, RelativeTime, tip, type MenuItems } from '#ui'
import { attemptTask, keysOf, openOverlay, shell, SNAPSHOT_DRAG, toast, useSnapshots, type SnapshotOverlay } from '../../app'
import { whyNotRestore, whyNotTake } from './allowed'
import { Screen } from './screen'
import { formatStall } from './words'
import { treeRows, type TreeRow } from './tree'
import styles from './snapshots.module.css'

const open = (machine: Machine, action: SnapshotOverlay['action'], snapshot = ''): void => openOverlay({ kind: 'snapshot', action, machine: machine.id, snapshot })

/** A machine's snapshots as a tree, with where it is now; beside it what can be done with the one that is chosen. */
export function SnapshotsTab({ machine }: { machine: Machine }) {
  const { byId, loaded } = useSnapshots()
  const [chosen, setChosen] = useState<string | null>(null)
  if (!loaded) return null
  const snapshots = Object.values(byId).filter((snapshot) => snapshot.machineId === machine.id)
  const here = machine.definition?.snapshot ?? null
  if (snapshots.length === 0) return <NoSnapshots machine={machine} />
  const rows = treeRows(snapshots, here)
  const selected = snapshots.find((one) => one.id === chosen) ?? snapshots.find((one) => one.id === here) ?? snapshots[0]!
  return (
    <div className={styles.tab}>
      <header className={styles.bar}>
        <p>
          {formatCount(snapshots.length, 'snapshot')}, {formatSize(snapshots.reduce((sum, one) => sum + one.ownBytes, 0))}
        </p>
        <Take machine={machine} />
      </header>
      <div className={styles.columns}>
        <Tree machine={machine} rows={rows} selected={selected.id} onSelect={setChosen} />
        <Chosen machine={machine} snapshot={selected} />
      </div>
    </div>
  )
}

const Take = ({ machine }: { machine: Machine }) => (
  <Button variant="primary" icon={Camera} blocked={whyNotTake(machine)} keys={keysOf('snapshot.take')} onClick={() => open(machine, 'take')}>
    Take a snapshot…
  </Button>
)

const NoSnapshots = ({ machine }: { machine: Machine }) => (
  <EmptyState icon={Camera} title={`${machine.name} has no snapshots`} actions={<Take machine={machine} />}>
    A snapshot holds memory, devices and disks as of one instant, while the guest goes on. The machine can be taken back to it, and any number of
    new machines made from it.
  </EmptyState>
)

interface TreeProps {
  machine: Machine
  rows: readonly TreeRow[]
  selected: string
  onSelect: (id: string) => void
}

/** Arrow keys move, Enter restores. A snapshot that is dragged onto “now” restores it; onto the list of machines it makes a new one. */
function Tree({ machine, rows, selected, onSelect }: TreeProps) {
  const order = rows.flatMap((row) => (row.kind === 'snapshot' ? [row.snapshot.id] : []))
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = order.indexOf(selected)
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: order.length - 1 }[event.key]
    if (event.key === 'Enter') open(machine, 'restore', selected)
    else if (event.key === 'Delete') open(machine, 'remove', selected)
    else if (next === undefined) return
    else onSelect(order[Math.max(0, Math.min(order.length - 1, next))] ?? selected)
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <ul className={styles.tree} role="listbox" aria-label={`Snapshots of ${machine.name}`} aria-activedescendant={`snapshot-${selected}`} tabIndex={0} onKeyDown={onKeyDown}>
      {rows.map((row) =>
        row.kind === 'now' ? (
          <Now key="now" machine={machine} row={row} />
        ) : (
          <Row key={row.snapshot.id} row={row} chosen={row.snapshot.id === selected} onSelect={() => onSelect(row.snapshot.id)} onOpen={() => open(machine, 'restore', row.snapshot.id)} />
        )
      )}
    </ul>
  )
}

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
        event.dataTransfer.effectAllowed = 'copyMove'
      }}
    >
      <Lines row={row} />
      <Screen snapshot={snapshot} className={styles.thumbnail}>
        {snapshot.was === 'off' ? <Power size={16} aria-hidden /> : <MonitorOff size={16} aria-hidden />}
      </Screen>
      <div className={styles.words}>
        <span className={styles.name} dir="auto">
          {snapshot.name}
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
const INSET = 26
const STEP = 28
/** Where the line of a depth runs. */
const laneAt = (depth: number): number => 11 + depth * STEP

/** The lines of time that run past a row, and the one that it is on. */
function Lines({ row: { kind, depth, from, goesOn } }: { row: TreeRow }) {
  return (
    <span aria-hidden>
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
function Now({ machine, row }: { machine: Machine; row: TreeRow }) {
  const [over, setOver] = useState(false)
  return (
    <li
      role="presentation"
      className={styles.now}
      style={{ paddingLeft: INSET + row.depth * STEP - 22 }}
      data-over={over || undefined}
      data-testid="now"
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes(SNAPSHOT_DRAG)) return
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        const id = event.dataTransfer.getData(SNAPSHOT_DRAG)
        setOver(false)
        if (id === '') return
        event.preventDefault()
        open(machine, 'restore', id)
      }}
    >
      <Lines row={row} />
      <CircleDot size={15} aria-hidden />
      <span>
        <b>Now</b> <small>{over ? 'drop it to go back to it' : 'you are here; drop a snapshot here to go back to it'}</small>
      </span>
    </li>
  )
}

function Chosen({ machine, snapshot }: { machine: Machine; snapshot: Snapshot }) {
  const blocked = whyNotRestore(snapshot)
  const act = (action: SnapshotOverlay['action']) => () => open(machine, action, snapshot.id)
  return (
    <aside className={styles.side} aria-label={`Snapshot ${snapshot.name}`}>
      <h2 dir="auto">{snapshot.name}</h2>
      <Screen snapshot={snapshot} className={styles.screen}>
        {snapshot.was === 'off' ? 'It was off.' : 'It has no screen.'}
      </Screen>
      {snapshot.note !== '' && <p data-selectable>{snapshot.note}</p>}
      <div className={styles.actions}>
        <Button variant="primary" blocked={blocked} onClick={act('restore')}>
          Restore…
        </Button>
        <Button blocked={blocked} onClick={act('fork')}>
          Fork…
        </Button>
        <Button blocked={blocked} onClick={act('clone')}>
          As a new machine…
        </Button>
      </div>
      <Facts snapshot={snapshot} />
      <div className={styles.actions}>
        <Button variant="quiet" onClick={act('edit')}>
          Name and note…
        </Button>
        <Button variant="quiet" onClick={act('remove')}>
          Remove…
        </Button>
        <Menu trigger={<IconButton icon={EllipsisVertical} label="More that can be done with the snapshot" variant="quiet" />} items={moreOf(snapshot)} />
      </div>
    </aside>
  )
}

/** What is done with a snapshot now and then. */
const moreOf = (snapshot: Snapshot): MenuItems => [
  { id: 'lab', label: 'New class lab…', icon: GraduationCap, blocked: whyNotRestore(snapshot), onSelect: () => openOverlay({ kind: 'lab', action: 'deploy', snapshot: snapshot.id }) },
  null,
  { id: 'export', label: 'Export…', icon: FileOutput, onSelect: () => void exportSnapshot(snapshot) },
  { id: 'verify', label: 'Verify', icon: ShieldCheck, onSelect: () => void verifySnapshot(snapshot) },
  {
    id: 'archive',
    label: 'Archive its memory',
    icon: Archive,
    blocked: snapshot.method === null ? 'It has no memory: the machine was off.' : snapshot.archivedAtMs === null ? null : 'Its memory is in the store already.',
    onSelect: () => void attemptTask('snapshot.archive', { snapshot: snapshot.id })
  }
]

async function exportSnapshot({ id, name }: Snapshot): Promise<void> {
  const file = await shell().chooseSaveFile({ title: `Export “${name}”`, suggestedName: `${name}.strata` })
  if (file === null) return
  // The system's dialog has asked whether a file that is there may be replaced.
  const done = await attemptTask('snapshot.export', { snapshot: id, file, replace: true })
  if (done.ok) toast(`“${name}” is exported.`, { tone: 'good', note: `${file}, ${formatSize(done.value.sizeBytes)}` })
}

async function verifySnapshot({ id, name }: Snapshot): Promise<void> {
  const done = await attemptTask('snapshot.verify', { snapshot: id })
  if (!done.ok) return
  const { problems } = done.value
  if (problems.length === 0) toast(`“${name}” is as it was taken.`, { tone: 'good' })
  else toast(`“${name}” cannot be relied on.`, { tone: 'error', note: problems.map(({ file, problem }) => `${file}: ${problem}`).join(' ') })
}

const inStore = ({ archivedAtMs, ready }: Snapshot): string => (archivedAtMs === null ? 'not yet' : ready ? 'yes' : 'only there; it is loaded first')

const GUEST: Record<Snapshot['was'], string> = { running: 'ran', paused: 'was paused', off: 'was off: only its disks are held' }

function Facts({ snapshot }: { snapshot: Snapshot }) {
  const machines = useSnapshots((state) => state.byId[snapshot.id]?.here ?? [])
  const facts: [string, string][] = [
    ['Taken', formatExact(snapshot.takenAtMs)],
    ['The guest', GUEST[snapshot.was]],
    ...(snapshot.stallMs === null || snapshot.was !== 'running' ? [] : ([['Stood still', formatStall(snapshot.stallMs)]] as [string, string][])),
    ['Machine', `${formatCount(snapshot.cpus, 'processor')}, ${formatSize(snapshot.memoryBytes)}, ${formatCount(snapshot.disks, 'disk')}`],
    ['Its own', formatSize(snapshot.ownBytes)],
    ['Shared', formatSize(snapshot.sharedBytes)],
    ...(snapshot.method === null ? [] : ([['In the store', inStore(snapshot)]] as [string, string][])),
    ...(machines.length > 0 ? ([['On it', machines.join(', ')]] as [string, string][]) : [])
  ]
  return (
    <dl className={styles.facts}>
      {facts.map(([term, value]) => (
        <div key={term} {...(term === 'Shared' ? tip('Layers of disks that the machine, or other snapshots, need as well.') : {})}>
          <dt>{term}</dt>
          <dd data-selectable>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
