import { ArrowRight } from 'lucide-react'
import { formatCount, formatSize } from '#ui'
import { folded, thickness, type Mark, type Sketch, type Slab } from './sketch'
import styles from './before-after.module.css'

/** More than these and the middle is folded. */
const MOST = 7

const MARKS: Record<Mark, string> = { new: 'new', sealed: 'sealed', grown: 'grown' }

export interface BeforeAfterProps {
  before: Sketch
  /** Null: nothing has been chosen yet. */
  after: Sketch | null
  /** What goes from the first picture for good, by key: crossed out. */
  gone?: readonly string[]
  /** Said where nothing has been chosen. */
  nothing?: string
}

/** What a disk is made of now, and what it will be made of. */
export function BeforeAfter({ before, after, gone = [], nothing = 'Choose a point of the history.' }: BeforeAfterProps) {
  return (
    <div className={styles.pictures}>
      <Picture title="Now" sketch={before} gone={gone} />
      <ArrowRight size={18} strokeWidth={1.5} aria-hidden className={styles.arrow} />
      {after ? <Picture title="Afterwards" sketch={after} gone={[]} /> : <p className={styles.nothing}>{nothing}</p>}
    </div>
  )
}

function Picture({ title, sketch, gone }: { title: string; sketch: Sketch; gone: readonly string[] }) {
  const { stack, aside } = sketch
  // What is set aside lies on the topmost layer that stays: beside the active one.
  const beside = aside.length > 0 && stack[0]?.kind === 'active' ? 1 : 0
  return (
    <figure className={styles.picture}>
      <figcaption>{title}</figcaption>
      <div className={styles.ground}>
        {aside.length > 0 && (
          <div className={styles.sky}>
            <Stack slabs={stack.slice(0, beside)} gone={gone} />
            <div className={styles.aside}>
              <p>set aside</p>
              <Stack slabs={aside} gone={gone} faded />
            </div>
          </div>
        )}
        <Stack slabs={stack.slice(beside)} gone={gone} />
      </div>
    </figure>
  )
}

function Stack({ slabs, gone, faded }: { slabs: readonly Slab[]; gone: readonly string[]; faded?: boolean }) {
  return (
    <ol className={styles.stack} data-faded={faded || undefined}>
      {folded(slabs, MOST).map((slab) =>
        'count' in slab ? (
          <li key={slab.key} className={styles.fold}>
            {formatCount(slab.count, 'more layer')}
          </li>
        ) : (
          <li
            key={slab.key}
            data-kind={slab.kind}
            data-gone={gone.includes(slab.key) || undefined}
            style={{ minHeight: thickness(slab.sizeBytes, 24, 48) }}
          >
            <span className={styles.name}>
              {slab.title}
              {slab.note && <small> {slab.note}</small>}
            </span>
            {slab.mark && <em>{MARKS[slab.mark]}</em>}
            {slab.mark !== 'new' && <span className={styles.size}>{formatSize(slab.sizeBytes)}</span>}
          </li>
        )
      )}
    </ol>
  )
}
