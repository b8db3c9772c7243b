import type { StoreStats } from '#contract'
import { formatPercent, formatSize } from '#ui'
import styles from './store.module.css'

interface Bar {
  label: string
  note: string
  bytes: number
  parts: { kind: string; label: string; bytes: number }[]
}

/** Three bars of one scale: what the archives hold, what of it is data, and what the store takes for it. */
export function barsOf(stats: StoreStats): Bar[] {
  const ownBytes = Math.max(0, stats.storedBytes - stats.sharedBytes - stats.indexBytes - stats.unusedBytes)
  const parts = [
    { kind: 'own', label: 'needed by one archive', bytes: ownBytes },
    { kind: 'shared', label: 'shared', bytes: stats.sharedBytes },
    { kind: 'index', label: 'index', bytes: stats.indexBytes },
    { kind: 'unused', label: 'unused', bytes: stats.unusedBytes }
  ]
  return [
    { label: 'Archived', note: 'each by itself', bytes: stats.logicalBytes, parts: [{ kind: 'logical', label: 'archived', bytes: stats.logicalBytes }] },
    { label: 'Data', note: 'without zeros', bytes: stats.dataBytes, parts: [{ kind: 'data', label: 'data', bytes: stats.dataBytes }] },
    { label: 'Stored', note: 'once, compressed', bytes: stats.storedBytes, parts: parts.filter((part) => part.bytes > 0) }
  ]
}

export function Sizes({ stats }: { stats: StoreStats }) {
  const bars = barsOf(stats)
  const longest = Math.max(1, ...bars.map((bar) => bar.bytes))
  return (
    <figure className={styles.sizes} aria-label="Logical against stored size">
      {bars.map(({ label, note, bytes, parts }) => (
        <div key={label} className={styles.bar}>
          <span className={styles.barName}>
            {label} <small>{note}</small>
          </span>
          <span className={styles.track} aria-hidden>
            {parts.map((part) => (
              <span key={part.kind} className={styles.part} data-kind={part.kind} style={{ width: `${(part.bytes / longest) * 100}%` }} />
            ))}
          </span>
          <span className={styles.barSize}>{formatSize(bytes)}</span>
        </div>
      ))}
      <figcaption className={styles.legend}>
        {bars.at(-1)?.parts.map((part) => (
          <span key={part.kind} data-kind={part.kind}>
            <i aria-hidden /> {part.label} {formatSize(part.bytes)} ({formatPercent(part.bytes / Math.max(1, stats.storedBytes))})
          </span>
        ))}
      </figcaption>
    </figure>
  )
}
