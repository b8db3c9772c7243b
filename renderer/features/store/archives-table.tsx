import { useState } from 'react'
import { ArchiveRestore, Trash2 } from 'lucide-react'
import type { ArchiveStats, Snapshot } from '#contract'
import { ConfirmDialog, formatPercent, formatSize, IconButton, RelativeTime, Table, tip, type Column, type TableLayout } from '#ui'
import { attempt, attemptTask, createPersisted, goTo, toast, useSnapshots } from '../../app'
import { noteOf, snapshotOf, titleOf } from './titles'
import styles from './store.module.css'

const useLayout = createPersisted<TableLayout>('archives', { sort: { id: 'saved', desc: true }, widths: {} }, ({ widths }) => typeof widths === 'object')

/** How much less than its data an archive takes for itself. */
export const savedShare = ({ dataBytes, ownBytes }: Pick<ArchiveStats, 'dataBytes' | 'ownBytes'>): number =>
  dataBytes === 0 ? 0 : Math.max(0, 1 - ownBytes / dataBytes)

const KINDS: Record<string, string> = { image: 'Image', disk: 'Disk', snapshot: 'Snapshot' }

export function ArchivesTable({ archives, onChanged }: { archives: readonly ArchiveStats[]; onChanged: () => void }) {
  const layout = useLayout()
  const snapshots = useSnapshots((state) => state.byId)
  const [removing, setRemoving] = useState<ArchiveStats | null>(null)
  const remove = async (archive: ArchiveStats): Promise<void> => {
    setRemoving(null)
    await attempt('store.remove', { archive: archive.name })
    onChanged()
  }
  return (
    <>
      <Table label="Archives" columns={columnsOf(snapshots, setRemoving)} rows={archives} rowId={(archive) => archive.name} layout={layout} onLayout={(next) => useLayout.setState(next)} />
      {removing && (
        <ConfirmDialog title={`Remove “${removing.name}” from the store?`} verb="Remove" danger onClose={() => setRemoving(null)} onConfirm={() => void remove(removing)}>
          <p>
            The archive cannot be brought back. {formatSize(removing.ownBytes)} are needed by it alone; “Clean up” gives them back.
          </p>
        </ConfirmDialog>
      )}
    </>
  )
}

/** Why an archive has to stay; null when it may go. */
function whyKept(archive: ArchiveStats): string | null {
  const user = archive.kind === 'snapshot' ? snapshotOf(archive.name, useSnapshots.getState().byId) : undefined
  return user ? `It holds the memory of “${user.name}”, and goes with that snapshot.` : null
}

async function restore(archive: ArchiveStats): Promise<void> {
  const made = await attemptTask('store.restore', { archive: archive.name })
  if (made.ok) toast(`“${made.value.name}” is among the images.`, { tone: 'good', actions: [{ label: 'Show', run: () => goTo({ kind: 'images' }) }] })
}

function columnsOf(snapshots: Readonly<Record<string, Snapshot>>, onRemove: (archive: ArchiveStats) => void): Column<ArchiveStats>[] {
  return [
    {
      id: 'name',
      header: 'Archive',
      grow: true,
      sortBy: (archive) => titleOf(archive, snapshots),
      cell: (archive) => (
        <span {...tip([archive.name, archive.note || archive.files.map((file) => file.name).join(', ')].join(': '))}>
          {titleOf(archive, snapshots)} <small className={styles.note}>{noteOf(archive, snapshots)}</small>
        </span>
      )
    },
    { id: 'kind', header: 'Kind', width: 90, spare: true, sortBy: (archive) => archive.kind, cell: (archive) => KINDS[archive.kind] ?? archive.kind },
    { id: 'logical', header: 'Size', width: 92, spare: true, align: 'end', sortBy: (archive) => archive.logicalBytes, cell: (archive) => formatSize(archive.logicalBytes) },
    { id: 'data', header: 'Data', width: 92, align: 'end', sortBy: (archive) => archive.dataBytes, cell: (archive) => formatSize(archive.dataBytes) },
    { id: 'own', header: 'Its own', width: 92, align: 'end', sortBy: (archive) => archive.ownBytes, cell: (archive) => <span {...tip('What removing it would give back')}>{formatSize(archive.ownBytes)}</span> },
    { id: 'savings', header: 'Savings', width: 124, align: 'end', sortBy: savedShare, cell: (archive) => <Savings share={savedShare(archive)} /> },
    { id: 'saved', header: 'Archived', width: 124, sortBy: (archive) => archive.savedAtMs, cell: (archive) => <RelativeTime atMs={archive.savedAtMs} /> },
    {
      id: 'actions',
      header: '',
      width: 76,
      cell: (archive) => (
        <span className={styles.actions}>
          <IconButton
            icon={ArchiveRestore}
            size="small"
            label={`Make an image of ${titleOf(archive, snapshots)}`}
            blocked={archive.kind === 'image' ? null : 'Only an archive of an image becomes one.'}
            onClick={() => void restore(archive)}
          />
          <IconButton icon={Trash2} size="small" label={`Remove ${titleOf(archive, snapshots)}`} blocked={whyKept(archive)} onClick={() => onRemove(archive)} />
        </span>
      )
    }
  ]
}

function Savings({ share }: { share: number }) {
  return (
    <span className={styles.savings}>
      <span className={styles.meter} aria-hidden>
        <span style={{ width: `${share * 100}%` }} />
      </span>
      {formatPercent(share)}
    </span>
  )
}
