import { useEffect, useState } from 'react'
import { FileCog, HardDrive, Plus, Trash2 } from 'lucide-react'
import type { Image, Machine } from '#contract'
import { Banner, Button, ConfirmDialog, EmptyState, formatSize, IconButton, RelativeTime, Table, tip, type Column, type TableLayout } from '#ui'
import { attempt, createPersisted, openOverlay, runCommand, useImages, useMachines } from '../../app'
import { RunningTasks } from '../tasks'
import { ConvertDialog, whyNotConverted } from './convert-dialog'
import { DropImport } from './drop'
import { titleOf } from './words'
import styles from './images.module.css'

const KINDS: Record<Image['kind'], string> = { guest: 'Kernel and disk', iso: 'ISO', disk: 'Disk image', cloud: 'Cloud image', unknown: 'Unknown' }
const useLayout = createPersisted<TableLayout>(
  'images',
  { sort: { id: 'name', desc: false }, widths: {} },
  ({ widths }) => typeof widths === 'object'
)

/** What machines are made from. A file can be dropped on it. */
export function ImagesScreen() {
  const { byId, loaded } = useImages()
  const layout = useLayout()
  const machines = useMachines((state) => state.byId)
  const [removing, setRemoving] = useState<Image | null>(null)
  const [converting, setConverting] = useState<Image | null>(null)
  const images = Object.values(byId)
  // Reading them looks at their files anew; what has changed comes as an event.
  useEffect(() => void attempt('image.list', {}), [])
  return (
    <DropImport>
      <section className={styles.screen} aria-label="Images">
        <header className={styles.head}>
          <h1>Images</h1>
          <Button icon={Plus} onClick={() => runCommand('image.import')}>
            Import…
          </Button>
        </header>
        <RunningTasks of={({ operation }) => operation === 'image.import' || operation === 'disk.convert'} />
        <Problems images={images} />
        {loaded && images.length === 0 ? (
          <NoImages />
        ) : (
          <Table
            label="Images"
            columns={columnsOf(Object.values(machines), setRemoving, setConverting)}
            rows={images}
            rowId={(image) => image.id}
            layout={layout}
            onLayout={(next) => useLayout.setState(next)}
          />
        )}
        {converting && <ConvertDialog image={converting} onClose={() => setConverting(null)} />}
        {removing && <RemoveDialog image={removing} onClose={() => setRemoving(null)} />}
      </section>
    </DropImport>
  )
}

function columnsOf(machines: readonly Machine[], onRemove: (image: Image) => void, onConvert: (image: Image) => void): Column<Image>[] {
  const users = (image: Image): string => usersOf(image, machines).join(', ')
  return [
    { id: 'name', header: 'Name', grow: true, sortBy: titleOf, cell: (image) => <span {...tip(image.path)}>{titleOf(image)}</span> },
    { id: 'kind', header: 'Kind', width: 128, sortBy: (image) => KINDS[image.kind], cell: (image) => KINDS[image.kind] },
    { id: 'format', header: 'Format', width: 80, spare: true, sortBy: (image) => image.format ?? '', cell: (image) => image.format ?? '—' },
    {
      id: 'virtual',
      header: 'Guest sees',
      width: 96,
      align: 'end',
      sortBy: (image) => image.virtualSizeBytes,
      cell: (image) => (image.kind === 'unknown' ? '—' : formatSize(image.virtualSizeBytes))
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
      sortBy: (image) => usersOf(image, machines).length,
      cell: (image) => <span {...tip(users(image))}>{users(image) || '—'}</span>
    },
    {
      id: 'added',
      header: 'Added',
      width: 120,
      spare: true,
      sortBy: (image) => image.addedAtMs,
      cell: (image) => <RelativeTime atMs={image.addedAtMs} />
    },
    {
      id: 'remove',
      header: '',
      width: 76,
      cell: (image) => (
        <>
          <IconButton
            icon={FileCog}
            size="small"
            label={`Convert ${titleOf(image)} to another format`}
            blocked={whyNotConverted(image)}
            onClick={() => onConvert(image)}
          />
          <IconButton
            icon={Trash2}
            size="small"
            label={`Remove ${titleOf(image)}`}
            blocked={users(image) ? `Used by ${users(image)}.` : null}
            onClick={() => onRemove(image)}
          />
        </>
      )
    }
  ]
}

/** The machines that stand on an image, or have it as a CD. */
function usersOf(image: Image, machines: readonly Machine[]): string[] {
  return machines
    .filter(
      ({ definition }) =>
        definition?.disks.some((disk) => disk.image?.imageId === image.id) ||
        definition?.cdroms.some((cdrom) => cdrom.imageId === image.id)
    )
    .map((machine) => machine.name)
}

/** The images that cannot be used, and why. What was put right is seen when the screen is opened again. */
function Problems({ images }: { images: readonly Image[] }) {
  return images
    .filter((image) => image.problem !== undefined)
    .map((image) => (
      <Banner
        key={image.id}
        tone="error"
        actions={
          image.missing && (
            <Button size="small" onClick={() => openOverlay({ kind: 'find-image', image: image.id })}>
              Find it…
            </Button>
          )
        }
      >
        <p>“{titleOf(image)}” cannot be used.</p>
        <p data-selectable>{image.problem}</p>
      </Banner>
    ))
}

const NoImages = () => (
  <EmptyState icon={HardDrive} title="No images yet" actions={<Button onClick={() => runCommand('image.import')}>Import an image…</Button>}>
    An ISO, a disk image (raw, qcow2, vmdk, vdi, vhdx) or a cloud image; a file can be dropped here. The built-in guest is listed once a
    machine was made from it.
  </EmptyState>
)

function RemoveDialog({ image, onClose }: { image: Image; onClose: () => void }) {
  const remove = (): void => {
    onClose()
    void attempt('image.remove', { image: image.id })
  }
  return (
    <ConfirmDialog title={`Remove “${titleOf(image)}”?`} verb="Remove" danger onClose={onClose} onConfirm={remove}>
      <p>
        {image.referenced
          ? `Only the entry goes: the file “${image.path}” stays where it is.`
          : `The library’s copy (${formatSize(image.fileSizeBytes)}) is deleted and cannot be brought back.`}
      </p>
    </ConfirmDialog>
  )
}
