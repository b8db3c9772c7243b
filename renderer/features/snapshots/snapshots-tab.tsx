import { useState } from 'react'
import { Camera } from 'lucide-react'
import type { Machine } from '#contract'
import { Button, EmptyState, formatCount, formatSize } from '#ui'
import { keysOf, useSnapshots } from '../../app'
import { whyNotTake } from './allowed'
import { Chosen } from './chosen'
import { openSnapshot } from './open'
import { SnapshotTree } from './snapshot-tree'
import { treeRows } from './tree'
import styles from './snapshots.module.css'

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
        <div>
          <SnapshotTree machine={machine.id} name={machine.name} there rows={rows} selected={selected.id} onSelect={setChosen} />
          <p className={styles.hint}>Dragged onto “Now”, a snapshot is gone back to; onto the list of machines, it becomes a new one.</p>
        </div>
        <Chosen snapshot={selected} />
      </div>
    </div>
  )
}

const Take = ({ machine }: { machine: Machine }) => (
  <Button variant="primary" icon={Camera} blocked={whyNotTake(machine)} keys={keysOf('snapshot.take')} onClick={() => openSnapshot(machine.id, 'take')}>
    Take a snapshot…
  </Button>
)

const NoSnapshots = ({ machine }: { machine: Machine }) => (
  <EmptyState icon={Camera} title={`${machine.name} has no snapshots`} actions={<Take machine={machine} />}>
    A snapshot holds memory, devices and disks as of one instant, while the guest goes on. The machine can be taken back to it, and any number of
    new machines made from it.
  </EmptyState>
)
