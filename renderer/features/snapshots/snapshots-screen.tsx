import { useState } from 'react'
import { Camera, FileInput } from 'lucide-react'
import type { Machine, Snapshot } from '#contract'
import { Button, EmptyState, formatCount, formatSize } from '#ui'
import { goToMachine, runCommand, useMachines, useSnapshots } from '../../app'
import { RunningTasks } from '../tasks'
import { Chosen } from './chosen'
import { SnapshotTree } from './snapshot-tree'
import { treeOfGone, treeRows } from './tree'
import styles from './snapshots.module.css'

/** All snapshots of the library, those too whose machine is not here: deleted, or on the computer that they were brought from. */
export function SnapshotsScreen() {
  const { byId, loaded } = useSnapshots()
  const machines = useMachines((state) => state.byId)
  const [chosen, setChosen] = useState<string | null>(null)
  const all = Object.values(byId)
  const selected = byId[chosen ?? ''] ?? all.sort((a, b) => b.takenAtMs - a.takenAtMs)[0]
  return (
    <section className={styles.tab} aria-label="Snapshots">
      <header className={styles.head}>
        <h1>Snapshots</h1>
        <p>{all.length > 0 && `${formatCount(all.length, 'snapshot')}, ${formatSize(sumOf(all))}`}</p>
        <Import />
      </header>
      <RunningTasks of={({ operation }) => operation === 'snapshot.import'} />
      {loaded && !selected && (
        <EmptyState icon={Camera} title="No snapshots yet" actions={<Import />}>
          Take one in a machine’s tab “Snapshots”, or import one that was exported on another computer.
        </EmptyState>
      )}
      {selected && (
        <div className={styles.columns}>
          <div className={styles.machines}>
            {groupsOf(all, machines).map(({ id, snapshots }) => (
              <OfMachine key={id} id={id} machine={machines[id]} snapshots={snapshots} selected={selected.id} onSelect={setChosen} />
            ))}
          </div>
          <Chosen snapshot={selected} />
        </div>
      )}
    </section>
  )
}

const sumOf = (snapshots: readonly Snapshot[]): number => snapshots.reduce((sum, one) => sum + one.ownBytes, 0)

const Import = () => (
  <Button icon={FileInput} onClick={() => runCommand('snapshot.import')}>
    Import…
  </Button>
)

interface Group {
  id: string
  snapshots: Snapshot[]
}

/** By machine, as the list of machines has them; those of machines that are not here last. */
function groupsOf(snapshots: readonly Snapshot[], machines: Readonly<Record<string, Machine>>): Group[] {
  const groups = new Map<string, Snapshot[]>()
  for (const snapshot of snapshots) groups.set(snapshot.machineId, [...(groups.get(snapshot.machineId) ?? []), snapshot])
  const name = ({ id, snapshots: [first] }: Group): string => machines[id]?.name ?? first?.machine ?? ''
  return [...groups]
    .map(([id, own]) => ({ id, snapshots: own }))
    .sort((a, b) => Number(!machines[a.id]) - Number(!machines[b.id]) || name(a).localeCompare(name(b), undefined, { numeric: true }))
}

interface OfMachineProps {
  id: string
  machine: Machine | undefined
  snapshots: readonly Snapshot[]
  selected: string
  onSelect: (id: string) => void
}

function OfMachine({ id, machine, snapshots, selected, onSelect }: OfMachineProps) {
  const name = machine?.name ?? snapshots[0]?.machine ?? ''
  const rows = machine ? treeRows(snapshots, machine.definition?.snapshot ?? null) : treeOfGone(snapshots)
  return (
    <section aria-label={name} className={styles.machine}>
      <h2 dir="auto">
        {machine ? (
          <button type="button" onClick={() => goToMachine(id, 'snapshots')}>
            {name}
          </button>
        ) : (
          name
        )}
        <small>
          {formatSize(sumOf(snapshots))}
          {!machine && ' · the machine is not here; a new one can be made'}
        </small>
      </h2>
      <SnapshotTree machine={id} name={name} there={machine !== undefined} rows={rows} selected={selected} onSelect={onSelect} />
    </section>
  )
}
