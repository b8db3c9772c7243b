import { FlaskConical } from 'lucide-react'
import { CHUNK_SIZES, type StoreExperiment, type StoreStats } from '#contract'
import { Button, formatSize, RelativeTime, Select } from '#ui'
import { attempt, attemptTask, useSnapshots } from '../../app'
import { inWords } from './titles'
import { resultOf, useTaskOf } from './use-stats'
import styles from './store.module.css'

type Row = StoreExperiment['rows'][number]
const OPTIONS = CHUNK_SIZES.map((bytes) => ({ value: String(bytes), label: formatSize(bytes) }))

/** The chunk size of new archives, and what others would make of the same files. */
export function ChunkSizes({ stats, blocked }: { stats: StoreStats; blocked: string | null }) {
  const { done, running } = useTaskOf('store.experiment')
  const found = resultOf<StoreExperiment>(done)
  const snapshots = useSnapshots((state) => state.byId)
  const archives = stats.archives.map((archive) => archive.name)
  return (
    <section className={styles.experiment} aria-labelledby="chunk-size">
      <header className={styles.experimentHead}>
        <h2 id="chunk-size">Chunk size</h2>
        <span aria-hidden>of new archives</span>
        <Select label="Chunk size of new archives" value={String(stats.chunkBytes)} options={OPTIONS} className={styles.select} onChange={(bytes) => void attempt('settings.edit', { storeChunk: Number(bytes) })} />
        <Button icon={FlaskConical} busy={running !== null} blocked={blocked} onClick={() => void attemptTask('store.experiment', { archive: archives })}>
          Measure
        </Button>
      </header>
      {found && done?.endedAtMs ? (
        <>
          <p className={styles.sum}>
            {upper(found.of.map((name) => inWords(name, snapshots)).join(', '))}: {formatSize(found.dataBytes)} of data, saved and loaded with each size <RelativeTime atMs={done.endedAtMs} />.
          </p>
          <div className={styles.charts}>
            <Bars title="Size against chunk size" rows={found.rows} of={[{ label: 'stored', kind: 'size', value: (row) => row.storedBytes }]} format={formatSize} />
            <Bars
              title="Time against chunk size"
              unit="s"
              rows={found.rows}
              of={[
                { label: 'saving', kind: 'save', value: (row) => row.saveMs },
                { label: 'loading', kind: 'load', value: (row) => row.loadMs }
              ]}
              format={formatSeconds}
            />
          </div>
        </>
      ) : (
        <p className={styles.sum}>
          Small chunks find more that is the same, big ones need less of an index. “Measure” saves and loads {archives.length > 0 ? 'what is archived' : 'your images'} with
          several sizes, in a store of its own that is removed afterwards, and draws what came of it.
        </p>
      )}
    </section>
  )
}

const upper = (sentence: string): string => sentence.charAt(0).toUpperCase() + sentence.slice(1)
/** Without the unit, which stands above: two of them stand side by side on narrow columns. */
const formatSeconds = (ms: number): string => (ms / 1000).toFixed(ms < 9_995 ? 2 : 1)

interface BarsProps {
  title: string
  /** Of its values, where that does not stand with each. */
  unit?: string
  rows: readonly Row[]
  of: readonly { label: string; kind: string; value: (row: Row) => number }[]
  format: (value: number) => string
}

/** Columns from zero, with their values written on them: a few points that are no line. */
function Bars({ title, unit, rows, of, format }: BarsProps) {
  const most = Math.max(1, ...rows.flatMap((row) => of.map(({ value }) => value(row))))
  return (
    <figure className={styles.chart} aria-label={title}>
      <figcaption>
        {title}
        {unit && ` (${unit})`}
        {of.length > 1 && of.map(({ label, kind }) => (
          <span key={kind} className={styles.key} data-kind={kind}>
            <i aria-hidden /> {label}
          </span>
        ))}
      </figcaption>
      <div className={styles.columns}>
        {rows.map((row) => (
          <div key={row.chunkBytes} className={styles.group}>
            <div className={styles.pair}>
              {of.map(({ label, kind, value }) => (
                <div key={kind} className={styles.column}>
                  <output aria-label={`${title}, ${formatSize(row.chunkBytes)}, ${label}`}>{format(value(row))}</output>
                  <span className={styles.fill} data-kind={kind} style={{ height: `${(value(row) / most) * 96}px` }} aria-hidden />
                </div>
              ))}
            </div>
            <span className={styles.axis}>{formatSize(row.chunkBytes)}</span>
          </div>
        ))}
      </div>
    </figure>
  )
}
