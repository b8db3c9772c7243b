import type { Image, ImageFile } from '#contract'
import { cx, formatSize, Table, tip, type Column, type TableLayout } from '#ui'
import { createPersisted, goTo, goToMachine, useImages } from '../../../app'
import { chooseDisk } from '../choice'
import { fileName, lookOfHealth, noteOfLayer, titleOfFile, usersOf } from '../words'
import styles from './library.module.css'

const useLayout = createPersisted<TableLayout>(
  'disk-files',
  { sort: { id: 'size', desc: true }, widths: {} },
  ({ widths }) => typeof widths === 'object'
)

/** Every image file, a line each. Enter or a double click goes to where it belongs. */
export function FilesTable({ files, filter }: { files: readonly ImageFile[]; filter: string }) {
  const layout = useLayout()
  const images = useImages((state) => state.byId)
  const wanted = filter.trim().toLowerCase()
  const rows = files.filter((file) => `${file.path} ${ownersOf(file).join(' ')} ${titleOfFile(file, images)}`.toLowerCase().includes(wanted))
  return (
    <Table
      label="Image files"
      columns={columnsOf(images)}
      rows={rows}
      rowId={(file) => file.path}
      layout={layout}
      onLayout={(next) => useLayout.setState(next)}
      onOpen={showFile}
    />
  )
}

/** Goes to where a file belongs. */
export function showFile({ of }: ImageFile): void {
  if (of.kind === 'image') return goTo({ kind: 'images' })
  chooseDisk(of.machineId, of.disk)
  goToMachine(of.machineId, 'disks')
}

/** The disks that have it: of linked clones, several. */
const ownersOf = (file: ImageFile): string[] => [file, ...file.otherNames].map(({ of }) => (of.kind === 'layer' ? `${of.machine}, ${of.disk}` : 'Library'))
const ownerOf = (file: ImageFile): string => ownersOf(file)[0]! + (file.otherNames.length > 0 ? ` +${file.otherNames.length}` : '')

function columnsOf(images: Readonly<Record<string, Image>>): Column<ImageFile>[] {
  return [
    {
      id: 'file',
      header: 'File',
      grow: true,
      sortBy: (file) => fileName(file.path),
      cell: (file) => <span {...tip(file.path)}>{fileName(file.path)}</span>
    },
    { id: 'owner', header: 'Belongs to', width: 140, sortBy: ownerOf, cell: (file) => <span {...tip(file.otherNames.length > 0 ? ownersOf(file).join('; ') : null)}>{ownerOf(file)}</span> },
    {
      id: 'what',
      header: 'What it is',
      width: 152,
      sortBy: (file) => titleOfFile(file, images),
      cell: (file) => {
        const note = file.of.kind === 'layer' ? noteOfLayer(file.of.layer) : ''
        return (
          <span {...tip(note)}>
            {file.of.kind === 'image' ? 'Image' : titleOfFile(file, images) + (file.of.place === 'undone' ? ', undone' : '')}
          </span>
        )
      }
    },
    {
      id: 'backing',
      header: 'Stands on',
      width: 136,
      spare: true,
      sortBy: (file) => fileName(file.backing ?? ''),
      cell: (file) => <span {...tip(file.backing)}>{file.backing ? fileName(file.backing) : '—'}</span>
    },
    {
      id: 'users',
      header: 'Used by',
      width: 240,
      spare: true,
      sortBy: (file) => usersOf(file).length,
      cell: (file) => <span {...tip(usersOf(file).join('\n') || null)}>{usersOf(file).join(', ') || '—'}</span>
    },
    {
      id: 'size',
      header: 'On disk',
      width: 84,
      align: 'end',
      sortBy: (file) => file.fileSizeBytes,
      cell: (file) => formatSize(file.fileSizeBytes)
    },
    {
      id: 'health',
      header: 'Health',
      width: 124,
      sortBy: (file) => lookOfHealth(file.health).word,
      cell: (file) => {
        const look = lookOfHealth(file.health)
        return (
          <span className={cx(styles.health, look.bad && styles.bad)} {...tip('message' in file.health ? file.health.message : null)}>
            <look.icon size={13} strokeWidth={1.75} aria-hidden />
            <span className={styles.word}>{look.word}</span>
          </span>
        )
      }
    }
  ]
}
