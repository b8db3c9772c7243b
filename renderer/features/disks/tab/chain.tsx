import { useState, type HTMLAttributes } from 'react'
import { ArrowDown, EllipsisVertical, PenLine } from 'lucide-react'
import type { DiskView, ImageFile, Layer, Machine } from '#contract'
import { ContextMenu, cx, formatCount, formatLiveSize, formatSize, IconButton, Menu, RelativeTime, tip } from '#ui'
import { openOverlay, toast, useImages } from '../../../app'
import { thickness } from '../drawing/sketch'
import { lookOfHealth, noteOfLayer, titleOfFile } from '../words'
import { SlabPulse } from '../xray/slab-pulse'
import { usePulse } from '../xray/use-xray'
import { menuOfFile } from './layer-menu'
import { Siblings } from './siblings'
import styles from './chain.module.css'

export interface ChainProps {
  machine: Machine
  view: DiskView
  /** Path of the file whose facts are shown. */
  selected: string
  onSelect: (path: string) => void
}

/** A disk as strata: the image as ground, layers above it, on top the one that the guest writes to; beside it what undo has set aside. */
export function Chain({ machine, view, selected, onSelect }: ChainProps) {
  const [dragged, setDragged] = useState<number | null>(null)
  const { files, undone } = view
  const most = Math.max(1, ...[...files, ...undone].map((file) => file.fileSizeBytes))
  const slab = (file: ImageFile, index: number | null) => (
    <Slab
      key={file.path}
      machine={machine}
      view={view}
      file={file}
      share={file.fileSizeBytes / most}
      selected={file.path === selected}
      onSelect={() => onSelect(file.path)}
      drag={index === null ? null : { index, dragged, onDrag: setDragged }}
    />
  )
  // What was undone lies on the topmost layer that stays: beside the active one, where that is not sealed.
  const above = undone.length > 0 && files[0] && isActive(files[0]) ? 1 : 0
  const own = files.filter((file) => file.of.kind === 'layer')
  const ground = files.find((file) => file.of.kind === 'image')
  return (
    <div className={styles.chain} onKeyDown={moveFocus}>
      <WritesHere machine={machine} view={view} />
      <div className={styles.standing}>
        <div className={styles.own}>
          <div className={styles.top}>
            <ol className={styles.slabs} aria-label={`Layers of ${view.disk.id}, from the top down`}>
              {own.slice(0, undone.length > 0 ? above : own.length).map((file, index) => slab(file, index))}
            </ol>
            {undone.length > 0 && (
              <div className={styles.aside}>
                <p>Undone, and set aside</p>
                <ol className={styles.slabs} aria-label="Undone layers">
                  {[...undone].reverse().map((file) => slab(file, null))}
                </ol>
              </div>
            )}
          </div>
          {undone.length > 0 && <ol className={styles.slabs}>{own.slice(above).map((file, index) => slab(file, index + above))}</ol>}
        </div>
        {ground && <Siblings machine={machine} diskId={view.disk.id} imagePath={ground.path} />}
      </div>
      {ground && (
        <ol className={styles.slabs} aria-label="What it stands on">
          {slab(ground, files.length - 1)}
        </ol>
      )}
    </div>
  )
}

const isActive = (file: ImageFile): boolean => file.of.kind === 'layer' && file.of.place === 'active' && !file.of.layer.commit

/** Whose writes go to the top layer, or will. */
function WritesHere({ machine, view }: { machine: Machine; view: DiskView }) {
  const active = view.disk.layers[0]
  const words = view.inUse
    ? `${machine.name} writes here`
    : active?.commit
      ? `${machine.name} is off; its next start puts an empty layer on top`
      : `${machine.name} is off; when it runs, it writes here`
  return (
    <p className={styles.writes} data-live={view.inUse || undefined}>
      <PenLine size={14} strokeWidth={1.75} aria-hidden />
      <span {...tip(words)}>{words}</span>
      <ArrowDown size={14} strokeWidth={1.75} aria-hidden />
    </p>
  )
}

interface SlabProps {
  machine: Machine
  view: DiskView
  file: ImageFile
  share: number
  selected: boolean
  onSelect: () => void
  /** Null: it cannot be dragged, and nothing can be dropped on it. */
  drag: { index: number; dragged: number | null; onDrag: (index: number | null) => void } | null
}

function Slab({ machine, view, file, share, selected, onSelect, drag }: SlabProps) {
  const images = useImages((state) => state.byId)
  const layer = file.of.kind === 'layer' ? file.of.layer : null
  const undone = file.of.kind === 'layer' && file.of.place === 'undone'
  const kind = layer === null ? 'ground' : undone ? 'undone' : isActive(file) ? 'active' : 'stratum'
  const title = titleOfFile(file, images)
  const pulse = usePulse(file.path)
  const items = menuOfFile(machine, view, file)
  // Everything above a layer is merged into it: one layer can be dropped on any below it that is the machine's own.
  const takes = drag !== null && layer !== null && drag.dragged !== null && drag.dragged < drag.index
  return (
    <li
      className={styles.slab}
      data-kind={kind}
      data-selected={selected || undefined}
      data-takes={takes || undefined}
      data-temporary={layer?.temporary || undefined}
      style={{ minHeight: thickness(file.fileSizeBytes, 46, 104) }}
      {...(drag && (layer ? draggedLayer(machine, view, layer, drag, takes) : refusedDrop(machine, view, drag)))}
    >
      <ContextMenu items={() => items}>
        <button type="button" className={styles.face} aria-pressed={selected} onClick={onSelect}>
          <span className={styles.words}>
            <span className={styles.title}>
              <strong>{title}</strong>
              {layer && noteOfLayer(layer) && <span className={styles.note}>{noteOfLayer(layer)}</span>}
            </span>
            <SlabNote file={file} />
          </span>
          {pulse && !undone && <SlabPulse pulse={pulse} />}
          <span className={styles.size}>
            {isActive(file) && view.inUse ? formatLiveSize(file.fileSizeBytes) : formatSize(file.fileSizeBytes)}
            <span className={styles.bar} {...tip('What it takes on the host, beside the largest of them')}>
              <span style={{ transform: `scaleX(${Math.max(share, 0.01)})` }} />
            </span>
          </span>
        </button>
        <span className={styles.menu}>
          <Menu trigger={<IconButton icon={EllipsisVertical} size="small" label={`What can be done with ${title}`} />} items={items} />
        </span>
      </ContextMenu>
    </li>
  )
}

type Drag = NonNullable<SlabProps['drag']>

function draggedLayer(machine: Machine, { disk }: DiskView, layer: Layer, drag: Drag, takes: boolean): HTMLAttributes<HTMLLIElement> {
  return {
    draggable: disk.layers.length > 1 && drag.index < disk.layers.length - 1,
    onDragStart: (event) => {
      event.dataTransfer.effectAllowed = 'move'
      event.dataTransfer.setData('text/plain', layer.nodeName)
      drag.onDrag(drag.index)
    },
    onDragEnd: () => drag.onDrag(null),
    onDragOver: (event) => takes && event.preventDefault(),
    onDrop: (event) => {
      event.preventDefault()
      drag.onDrag(null)
      if (takes) openOverlay({ kind: 'disk', action: 'merge', machine: machine.id, disk: disk.id, nodeName: layer.nodeName })
    }
  }
}

/** Nothing is merged into an image of the library: who tries is told why, and what would do. */
function refusedDrop(machine: Machine, { disk }: DiskView, drag: Drag): HTMLAttributes<HTMLLIElement> {
  return {
    onDragOver: (event) => drag.dragged !== null && event.preventDefault(),
    onDrop: (event) => {
      event.preventDefault()
      drag.onDrag(null)
      toast('An image of the library is never written to: others may stand on it.', {
        note: 'To have the disk in one file of its own, flatten it.',
        actions: [{ label: 'Flatten…', run: () => openOverlay({ kind: 'disk', action: 'flatten', machine: machine.id, disk: disk.id }) }]
      })
    }
  }
}

/** The second line of a slab: its node, its age, how its file is. */
function SlabNote({ file }: { file: ImageFile }) {
  const health = lookOfHealth(file.health)
  const { of } = file
  return (
    <span className={styles.second}>
      <span className={cx(styles.health, health.bad && styles.bad)} {...tip('message' in file.health ? file.health.message : null)}>
        <health.icon size={13} strokeWidth={1.75} aria-hidden />
        {health.word}
      </span>
      {of.kind === 'layer' ? (
        <>
          <code>{of.layer.nodeName}</code>
          <span>
            {of.layer.commit ? 'sealed ' : 'made '}
            <RelativeTime atMs={of.layer.commit?.atMs ?? of.layer.createdAtMs} />
          </span>
          {of.layer.temporary && <span className={styles.chip}>for this run only</span>}
          {file.users.length > 1 && <span {...tip(`Linked clones share this file: ${file.users.join(', ')}`)} className={styles.chip}>shared with {file.users.filter((user) => user !== of.machine).join(', ')}</span>}
          {of.place === 'active' && file.sharedWith.length > 0 && <span {...tip(`They have the disk over a share: ${file.sharedWith.join(', ')}`)} className={styles.chip}>served to {file.sharedWith.join(', ')}</span>}
        </>
      ) : (
        <>
          <span>image of the library, never written to</span>
          {file.users.map((user) => (
            <span key={user} className={styles.chip}>
              {user}
            </span>
          ))}
        </>
      )}
      <SnapshotChip snapshots={file.snapshots} />
    </span>
  )
}

/** As long as a snapshot has a file, nothing is merged into it. */
function SnapshotChip({ snapshots }: Pick<ImageFile, 'snapshots'>) {
  if (snapshots.length === 0) return null
  const names = snapshots.map(({ name, machine }) => `“${name}” of ${machine}`)
  return (
    <span {...tip(`It stays as it is for: ${names.join(', ')}`)} className={styles.chip}>
      {snapshots.length === 1 ? `snapshot ${snapshots[0]!.name}` : formatCount(snapshots.length, 'snapshot')}
    </span>
  )
}

/** Up and Down go from slab to slab. */
function moveFocus(event: React.KeyboardEvent<HTMLElement>): void {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (by === undefined || !(event.target instanceof HTMLElement) || !event.target.matches(`.${styles.face}`)) return
  const faces = [...event.currentTarget.querySelectorAll<HTMLElement>(`.${styles.face}`)]
  const next = faces[faces.indexOf(event.target) + by]
  if (!next) return
  event.preventDefault()
  next.focus()
}
