import { memo, useState, type DragEvent } from 'react'
import { EllipsisVertical } from 'lucide-react'
import type { Image, ImageFile } from '#contract'
import { cx, formatSize, IconButton, Menu, StateIcon, tip, type MenuItems } from '#ui'
import { copyText, DISK_DRAG, goTo, goToMachine, machineById, openOverlay, toast, useImages, useMachine } from '../../../app'
import { lookOf } from '../../machines'
import { whyNotDisk } from '../allowed'
import { chooseDisk } from '../choice'
import { thickness } from '../drawing/sketch'
import { lookOfHealth, noteOfLayer, titleOfFile, usersOf } from '../words'
import type { Site, Tower } from './landscape'
import styles from './library.module.css'

/** What is dragged from one ground to another: a disk, by machine's id and its own. */
const TOWER_TYPE = DISK_DRAG

/** An image as ground, with the disks that stand on it side by side. A disk that is dropped on it proposes a rebase. */
export const SiteView = memo(function SiteView({ site }: { site: Site }) {
  const [over, setOver] = useState(false)
  const { ground, towers } = site
  const imageId = ground?.of.kind === 'image' ? ground.of.imageId : null
  const takes = (event: DragEvent): boolean => imageId !== null && event.dataTransfer.types.includes(TOWER_TYPE)
  const onDrop = (event: DragEvent): void => {
    setOver(false)
    const [machine = '', disk = ''] = event.dataTransfer.getData(TOWER_TYPE).split(' ')
    if (imageId === null || towers.some((tower) => tower.machineId === machine && tower.disk === disk)) return
    event.preventDefault()
    proposeRebase(machine, disk, imageId)
  }
  return (
    <section
      className={styles.site}
      data-over={over || undefined}
      data-empty={towers.length === 0 || undefined}
      onDragOver={(event) => {
        if (!takes(event)) return
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={(event) => !(event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget)) && setOver(false)}
      onDrop={onDrop}
    >
      {towers.length > 0 && (
        <ul className={styles.towers}>
          {towers.map((tower) => (
            <TowerView key={tower.key} tower={tower} />
          ))}
        </ul>
      )}
      <Ground file={ground} />
    </section>
  )
})

function proposeRebase(machineId: string, disk: string, imageId: string): void {
  const machine = machineById(machineId)
  const blocked =
    machine &&
    whyNotDisk(
      'rebase',
      machine,
      machine.definition?.disks.find((one) => one.id === disk)
    )
  if (blocked) toast(blocked)
  else openOverlay({ kind: 'disk', action: 'rebase', machine: machineId, disk, imageId })
}

/** What one reads of a file when it is pointed at. */
function wordsOf(file: ImageFile, images: Readonly<Record<string, Image>>): string {
  const note = file.of.kind === 'layer' ? noteOfLayer(file.of.layer) : ''
  return [titleOfFile(file, images) + (note ? `: ${note}` : ''), formatSize(file.fileSizeBytes), lookOfHealth(file.health).word, `Used by ${usersOf(file).join('; ')}`].join('\n')
}

function TowerView({ tower }: { tower: Tower }) {
  const machine = useMachine(tower.machineId)
  const images = useImages((state) => state.byId)
  const open = (): void => {
    chooseDisk(tower.machineId, tower.disk)
    goToMachine(tower.machineId, 'disks')
  }
  const name = `${tower.machine}, ${tower.disk}`
  return (
    <li className={styles.tower}>
      <button
        type="button"
        className={styles.column}
        draggable
        onDragStart={(event) => event.dataTransfer.setData(TOWER_TYPE, tower.key)}
        onClick={open}
        aria-label={`${name}: ${tower.layers.length} layers`}
      >
        <span className={styles.label}>
          {machine && <StateIcon look={lookOf(machine.state)} size={12} />}
          <span className={styles.name} dir="auto">
            {tower.machine}
          </span>
        </span>
        <span className={styles.second}>{tower.disk}</span>
        {tower.undone.length > 0 && <span className={styles.second}>{tower.undone.length} set aside</span>}
        <span className={styles.slabs}>
          {tower.layers.map((file) => (
            <SlabView key={file.path} file={file} words={wordsOf(file, images)} />
          ))}
        </span>
      </button>
    </li>
  )
}

const SlabView = ({ file, words }: { file: ImageFile; words: string }) => {
  const layer = file.of.kind === 'layer' ? file.of.layer : null
  const active = file.of.kind === 'layer' && file.of.place === 'active' && !layer?.commit
  return (
    <span
      className={styles.slab}
      data-kind={active ? 'active' : 'stratum'}
      data-bad={file.health.kind !== 'ok' || undefined}
      data-temporary={layer?.temporary || undefined}
      style={{ height: thickness(file.fileSizeBytes, 14, 44) }}
      {...tip(words)}
    >
      {layer?.commit ? layer.commit.sequence : ''}
    </span>
  )
}

function Ground({ file }: { file: ImageFile | null }) {
  const images = useImages((state) => state.byId)
  if (!file) {
    return (
      <div className={cx(styles.ground, styles.none)}>
        <span className={styles.words}>Stand on no image</span>
      </div>
    )
  }
  const health = lookOfHealth(file.health)
  const title = titleOfFile(file, images)
  return (
    <div className={styles.ground} style={{ minHeight: thickness(file.fileSizeBytes, 40, 72) }}>
      <span className={styles.words} {...tip(`${file.path}\nUsed by ${usersOf(file).join('; ') || 'nobody'}`)}>
        <strong>{title}</strong>
        <span className={styles.second}>
          <span className={cx(health.bad && styles.bad, styles.health)}>
            <health.icon size={12} strokeWidth={1.75} aria-hidden /> {health.word}
          </span>
          <span>{formatSize(file.fileSizeBytes)}</span>
          <span>{file.format}</span>
        </span>
      </span>
      <Menu
        trigger={<IconButton icon={EllipsisVertical} size="small" label={`What can be done with ${title}`} />}
        items={menuOfGround(file)}
      />
    </div>
  )
}

/** What can be done with an image from here; a rebase of a disk onto it has its keyboard way in the disk's own menu. */
const menuOfGround = (file: ImageFile): MenuItems => [
  { id: 'images', label: 'Show in Images', onSelect: () => goTo({ kind: 'images' }) },
  { id: 'copy', label: 'Copy the path', onSelect: () => void copyText(file.path) }
]
