import { useState } from 'react'
import { ChevronRight } from 'lucide-react'
import type { DiskView, Image, Machine } from '#contract'
import { ErrorNotice, formatSize, tip } from '#ui'
import { copyText, useImages } from '../../../app'
import { useLive } from '../live'
import { titleOfFile, titleOfLayer } from '../words'
import { heldBytes, spansOf, type Span } from './ranges'
import styles from './disk-map.module.css'

const POLL_MS = 5000
/** As many steps as the picture is wide, about. */
const STEPS = 600

/** Where on the guest's disk each layer holds data; on top what the guest reads, each place from the topmost layer that has it. Folded at first. */
export function DiskMapView({ machine, view }: { machine: Machine; view: DiskView }) {
  const [open, setOpen] = useState(false)
  return (
    <section className={styles.map}>
      <button type="button" className={styles.fold} aria-expanded={open} onClick={() => setOpen(!open)}>
        <ChevronRight size={14} aria-hidden data-open={open || undefined} />
        Where the data lies
      </button>
      {open && <OpenMap machine={machine} view={view} />}
    </section>
  )
}

function OpenMap({ machine, view }: { machine: Machine; view: DiskView }) {
  const images = useImages((state) => state.byId)
  const { value, error } = useLive('disk.map', { machine: machine.id, disk: view.disk.id, most: 1000 }, view.inUse ? POLL_MS : null)
  if (error) return <ErrorNotice error={error} onCopy={copyText} />
  if (!value) return <p className={styles.note}>Asking qemu-img…</p>
  const rows = value.layers.map((layer) => ({
    ...layer,
    ...lookOf(layer.label, view, images),
    spans: spansOf(layer.ranges, value.sizeBytes, STEPS)
  }))
  return (
    <>
      <div className={styles.rows}>
        <Row title="The guest reads" sizeBytes={value.sizeBytes} strips={[...rows].reverse()} note={formatSize(value.sizeBytes)} whole />
        {rows.map((row) => (
          <Row key={row.path} title={row.title} sizeBytes={value.sizeBytes} strips={[row]} note={formatSize(heldBytes(row.ranges))} />
        ))}
        <div className={styles.scale} aria-hidden>
          <span>0</span>
          <span>{formatSize(value.sizeBytes / 2)}</span>
          <span>{formatSize(value.sizeBytes)}</span>
        </div>
      </div>
      {value.coarse && <p className={styles.note}>Ranges that lie close together are drawn as one.</p>}
    </>
  )
}

function lookOf(label: string, { disk, files }: DiskView, images: Readonly<Record<string, Image>>): { title: string; kind: 'active' | 'stratum' | 'ground'; tint: number } {
  const index = disk.layers.findIndex((layer) => layer.nodeName === label)
  const layer = disk.layers[index]
  const ground = files.find((file) => file.of.kind === 'image')
  if (!layer) return { title: ground ? titleOfFile(ground, images) : 'Image', kind: 'ground', tint: 0 }
  return { title: titleOfLayer(layer, index === 0), kind: index === 0 && !layer.commit ? 'active' : 'stratum', tint: index }
}

interface Strip {
  kind: 'active' | 'stratum' | 'ground'
  title: string
  spans: readonly Span[]
}

/** One line of the map. Several strips lie over each other, the last one on top. */
function Row({
  title,
  sizeBytes,
  strips,
  note,
  whole
}: {
  title: string
  sizeBytes: number
  strips: readonly Strip[]
  note: string
  whole?: boolean
}) {
  return (
    <div className={styles.row} data-whole={whole || undefined}>
      <span className={styles.title}>{title}</span>
      <svg viewBox={`0 0 ${STEPS} 10`} preserveAspectRatio="none" role="img" aria-label={`${title}: ${note}`}>
        {strips.map((strip, index) => (
          <path
            key={index}
            data-kind={strip.kind}
            d={strip.spans
              .filter((span) => !span.zero)
              .map((span) => boxOf(span, sizeBytes))
              .join('')}
          />
        ))}
      </svg>
      <span className={styles.held} {...tip(whole ? 'The size of the disk' : 'Data that the layer holds')}>
        {note}
      </span>
    </div>
  )
}

function boxOf({ startBytes, endBytes }: Span, sizeBytes: number): string {
  const x = (startBytes / sizeBytes) * STEPS
  return `M${x.toFixed(1)} 0h${(((endBytes - startBytes) / sizeBytes) * STEPS).toFixed(1)}v10H${x.toFixed(1)}z`
}
