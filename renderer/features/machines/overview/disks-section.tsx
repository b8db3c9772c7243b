import type { Disk, Image, Machine } from '#contract'
import { goToMachine, useImages } from '../../../app'
import { Button } from '../../../ui/button'
import { formatSize } from '../../../ui/format'
import { StrataGlyph, type Layer } from '../../../ui/strata-glyph'
import { Section } from './section'
import styles from './overview.module.css'

/** The disks, each drawn as its layers. */
export function DisksSection({ machine }: { machine: Machine }) {
  const images = useImages((state) => state.byId)
  const disks = machine.definition?.disks ?? []
  const cdroms = machine.definition?.cdroms ?? []
  return (
    <Section
      title="Disks"
      action={
        <Button size="small" variant="quiet" onClick={() => goToMachine(machine.id, 'disks')}>
          Layers and history
        </Button>
      }
    >
      {disks.length === 0 && cdroms.length === 0 && <p className={styles.none}>It has no disks.</p>}
      <ul className={styles.disks}>
        {disks.map((disk) => (
          <DiskRow
            key={disk.id}
            disk={disk}
            image={disk.image ? images[disk.image.imageId] : undefined}
            diskBytes={machine.diskBytes / disks.length}
          />
        ))}
        {cdroms.map((cdrom) => (
          <li key={cdrom.path}>
            <StrataGlyph layers={[{ label: 'CD, read-only', sizeBytes: images[cdrom.imageId]?.fileSizeBytes ?? 0, kind: 'ground' }]} />
            <div>
              <p className={styles.strong}>CD</p>
              <p className={styles.quiet}>{images[cdrom.imageId]?.name ?? cdrom.path}, read-only</p>
            </div>
          </li>
        ))}
      </ul>
    </Section>
  )
}

function DiskRow({ disk, image, diskBytes }: { disk: Disk; image: Image | undefined; diskBytes: number }) {
  const base = disk.image ? (image ? nameOfImage(image) : fileName(disk.image.path)) : null
  return (
    <li>
      <StrataGlyph layers={layersOf(disk, base, image, diskBytes)} />
      <div>
        <p className={styles.strong}>
          {disk.id} <span className={styles.quiet}>{formatSize(disk.sizeBytes)}</span>
        </p>
        <p className={styles.quiet}>
          {formatSize(diskBytes)} on the host, {disk.layers.length === 1 ? 'one layer' : `${disk.layers.length} layers`}
        </p>
        {base !== null && (
          <p className={styles.quiet}>
            overlay on <span className={styles.base}>{base}</span>, which stays as it is
          </p>
        )}
      </div>
    </li>
  )
}

/** From the ground up: the image it stands on, what was committed, then what the guest has written since. */
function layersOf(disk: Disk, base: string | null, image: Image | undefined, diskBytes: number): Layer[] {
  const bytesOf = (sequence: number | undefined): number => disk.history.find((entry) => entry.sequence === sequence)?.bytes ?? 0
  const below = disk.layers.slice(1).map((layer): Layer => ({
    label: layer.commit ? `commit ${layer.commit.sequence}${layer.commit.note && `, ${layer.commit.note}`}` : `layer ${layer.nodeName}`,
    sizeBytes: bytesOf(layer.commit?.sequence),
    kind: 'stratum'
  }))
  const committed = [...below, ...disk.undone.map((layer) => ({ sizeBytes: bytesOf(layer.commit?.sequence) }))].reduce(
    (sum, one) => sum + one.sizeBytes,
    0
  )
  const active: Layer = { label: `${disk.id}, takes the guest’s writes`, sizeBytes: Math.max(0, diskBytes - committed), kind: 'active' }
  const own = [...below.reverse(), active]
  return base === null ? own : [{ label: `${base}, base`, sizeBytes: image?.fileSizeBytes ?? 0, kind: 'ground' }, ...own]
}

const nameOfImage = (image: Image): string => (image.kind === 'guest' ? 'the built-in guest' : image.name)
const fileName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
