import { Archive, EllipsisVertical, FileOutput, GraduationCap, ShieldCheck } from 'lucide-react'
import type { Snapshot } from '#contract'
import { Banner, Button, cx, formatCount, formatExact, formatSize, IconButton, Menu, RelativeTime, tip, type MenuItems } from '#ui'
import { attemptTask, openOverlay, shell, toast, useMachine, useMachines, useTasks, type SnapshotOverlay } from '../../app'
import { whyNotRestore } from './allowed'
import { openSnapshot } from './open'
import { Screen } from './screen'
import { foundBy, lastVerified } from './verified'
import { formatStall } from './words'
import styles from './snapshots.module.css'

/** What is known of a snapshot, and what can be done with it. */
export function Chosen({ snapshot }: { snapshot: Snapshot }) {
  const there = useMachine(snapshot.machineId) !== undefined
  const blocked = whyNotRestore(snapshot)
  const act = (action: SnapshotOverlay['action']) => () => openSnapshot(snapshot.machineId, action, snapshot.id)
  return (
    <aside className={styles.side} aria-label={`Snapshot ${snapshot.name}`}>
      <h2 dir="auto">{snapshot.name}</h2>
      <Screen snapshot={snapshot} className={styles.screen}>
        {snapshot.was === 'off' ? 'It was off.' : 'It has no screen.'}
      </Screen>
      {snapshot.note !== '' && <p data-selectable>{snapshot.note}</p>}
      {snapshot.problem !== null && <Banner tone="warning">It cannot be used here: {snapshot.problem}.</Banner>}
      <Verified snapshot={snapshot} />
      <div className={styles.actions}>
        <Button variant="primary" blocked={blocked ?? (there ? null : 'The machine that it was taken of is not here any more: make a new one from it.')} onClick={act('restore')}>
          Restore…
        </Button>
        <Button blocked={blocked} onClick={act('fork')}>
          Fork…
        </Button>
        <Button blocked={blocked} onClick={act('clone')}>
          As a new machine…
        </Button>
      </div>
      <div className={cx(styles.actions, styles.lesser)}>
        <Button variant="quiet" onClick={act('edit')}>
          Name and note…
        </Button>
        <Button variant="quiet" onClick={act('remove')}>
          Remove…
        </Button>
        <Menu trigger={<IconButton icon={EllipsisVertical} label="More that can be done with the snapshot" variant="quiet" />} items={moreOf(snapshot)} />
      </div>
      <Facts snapshot={snapshot} />
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
    label: snapshot.archivedAtMs === null ? 'Archive its memory' : 'Archive its memory again',
    icon: Archive,
    // What is damaged in the store is stored anew while the memory file is here.
    blocked: snapshot.method === null ? 'It has no memory: the machine was off.' : snapshot.archivedAtMs === null || snapshot.ready ? null : 'Its memory is in the store only.',
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

/** What its last verification found, until the window is opened anew. */
function Verified({ snapshot }: { snapshot: Snapshot }) {
  const last = useTasks((state) => lastVerified(state.byId, snapshot.id))
  const found = last && foundBy(last)
  if (!found) return null
  if (found.problems.length === 0) {
    return (
      <Banner tone="good">
        It is as it was taken: verified <RelativeTime atMs={last.endedAtMs ?? last.startedAtMs} />.
      </Banner>
    )
  }
  return (
    <Banner tone="error">
      <p>It cannot be relied on: what follows is not as it was taken.</p>
      <ul className={styles.problems} data-selectable>
        {found.problems.map(({ file, problem }) => (
          <li key={file}>
            <code>{file}</code> {problem}
          </li>
        ))}
      </ul>
    </Banner>
  )
}

const inStore = ({ archivedAtMs, ready }: Snapshot): string => (archivedAtMs === null ? 'not yet' : ready ? 'yes' : 'only there; it is loaded first')

const GUEST: Record<Snapshot['was'], string> = { running: 'ran', paused: 'was paused', off: 'was off: only its disks are held' }

function Facts({ snapshot }: { snapshot: Snapshot }) {
  const here = useMachines((state) =>
    Object.values(state.byId)
      .filter(({ definition }) => definition?.snapshot === snapshot.id)
      .map(({ name }) => name)
      .join(', ')
  )
  const facts: [string, string][] = [
    ['Taken', formatExact(snapshot.takenAtMs)],
    ['The guest', GUEST[snapshot.was]],
    ...(snapshot.stallMs === null || snapshot.was !== 'running' ? [] : ([['Stood still', formatStall(snapshot.stallMs)]] as [string, string][])),
    ['Machine', `${formatCount(snapshot.cpus, 'processor')}, ${formatSize(snapshot.memoryBytes)}, ${formatCount(snapshot.disks, 'disk')}`],
    ['Its own', formatSize(snapshot.ownBytes)],
    ['Shared', formatSize(snapshot.sharedBytes)],
    ...(snapshot.method === null ? [] : ([['In the store', inStore(snapshot)]] as [string, string][])),
    ...(here === '' ? [] : ([['On it', here]] as [string, string][]))
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
