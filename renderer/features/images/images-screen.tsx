import { useState } from 'react'
import { HardDrive, Plus, Trash2 } from 'lucide-react'
import type { Image } from '#contract'
import { Button, ConfirmDialog, EmptyState, formatSize, IconButton, RelativeTime, Table, tip, type Column, type TableLayout } from '#ui'
import { attempt, createPersisted, hasEnded, runCommand, useImages, useMachines, useTasks } from '../../app'
import { TaskProgress } from '../tasks'
import styles from './images.module.css'

const KINDS: Record<Image['kind'], string> = { guest: 'Built-in guest', iso: 'ISO', disk: 'Disk image', cloud: 'Cloud image' }
const useLayout = createPersisted<TableLayout>(
  'images',
  { sort: { id: 'name', desc: false }, widths: {} },
  ({ widths }) => typeof widths === 'object'
)

/** What machines are made from. */
export function ImagesScreen() {
  const { byId, loaded } = useImages()
  const layout = useLayout()
  const machines = useMachines((state) => state.byId)
  const [removing, setRemoving] = useState<Image | null>(null)
  const images = Object.values(byId)
  const users = (image: Image): string[] =>
    Object.values(machines)
      .filter(
        ({ definition }) =>
          definition?.disks.some((disk) => disk.backing?.imageId === image.id) ||
          definition?.cdroms.some((cdrom) => cdrom.imageId === image.id)
      )
      .map((machine) => machine.name)
  const columns: Column<Image>[] = [
    {
      id: 'name',
      header: 'Name',
      grow: true,
      sortBy: (image) => image.name,
      cell: (image) => <span {...tip(image.path)}>{image.name}</span>
    },
    { id: 'kind', header: 'Kind', width: 120, sortBy: (image) => KINDS[image.kind], cell: (image) => KINDS[image.kind] },
    { id: 'format', header: 'Format', width: 80, sortBy: (image) => image.format, cell: (image) => image.format },
    {
      id: 'virtual',
      header: 'Guest sees',
      width: 96,
      align: 'end',
      sortBy: (image) => image.virtualSizeBytes,
      cell: (image) => formatSize(image.virtualSizeBytes)
    },
    {
      id: 'file',
      header: 'On disk',
      width: 96,
      align: 'end',
      sortBy: (image) => image.fileSizeBytes,
      cell: (image) => formatSize(image.fileSizeBytes)
    },
    {
      id: 'users',
      header: 'Used by',
      width: 140,
      sortBy: (image) => users(image).length,
      cell: (image) => <span {...tip(users(image).join(', '))}>{users(image).join(', ') || '—'}</span>
    },
    {
      id: 'added',
      header: 'Added',
      width: 120,
      sortBy: (image) => image.addedAtMs,
      cell: (image) => <RelativeTime atMs={image.addedAtMs} />
    },
    {
      id: 'remove',
      header: '',
      width: 44,
      cell: (image) => (
        <IconButton
          icon={Trash2}
          size="small"
          label={`Remove ${image.name}`}
          blocked={users(image).length > 0 ? `Used by ${users(image).join(', ')}.` : null}
          onClick={() => setRemoving(image)}
        />
      )
    }
  ]
  return (
    <section className={styles.screen} aria-label="Images">
      <header className={styles.head}>
        <h1>Images</h1>
        <Button icon={Plus} onClick={() => runCommand('image.import')}>
          Import…
        </Button>
      </header>
      <RunningImports />
      {loaded && images.length === 0 ? (
        <EmptyState
          icon={HardDrive}
          title="No images yet"
          actions={<Button onClick={() => runCommand('image.import')}>Import an image…</Button>}
        >
          An ISO, a disk image (raw, qcow2, vmdk, vdi, vhdx) or a cloud image. The built-in guest is listed once a machine was made from it.
        </EmptyState>
      ) : (
        <Table
          label="Images"
          columns={columns}
          rows={images}
          rowId={(image) => image.id}
          layout={layout}
          onLayout={(next) => useLayout.setState(next)}
        />
      )}
      {removing && (
        <ConfirmDialog
          title={`Remove “${removing.name}”?`}
          verb="Remove"
          danger
          onClose={() => setRemoving(null)}
          onConfirm={() => {
            setRemoving(null)
            void attempt('image.remove', { image: removing.id })
          }}
        >
          <p>
            {removing.referenced
              ? `Only the entry goes: the file “${removing.path}” stays where it is.`
              : `The library’s copy (${formatSize(removing.fileSizeBytes)}) is deleted and cannot be brought back.`}
          </p>
        </ConfirmDialog>
      )}
    </section>
  )
}

function RunningImports() {
  const byId = useTasks((state) => state.byId)
  const running = Object.values(byId).filter((task) => task.operation === 'image.import' && !hasEnded(task))
  return running.map((task) => (
    <div key={task.id} className={styles.running}>
      <p>{task.title}</p>
      <TaskProgress task={task} />
      <Button size="small" onClick={() => void attempt('task.cancel', { taskId: task.id })}>
        Cancel
      </Button>
    </div>
  ))
}
