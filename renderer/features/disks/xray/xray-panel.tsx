import type { DiskView, Trace, TraceFile } from '#contract'
import { formatClockSeconds, formatSize } from '#ui'
import { useImages } from '../../../app'
import { fileName, titleOfFile } from '../words'
import { STRIP_COLUMNS, stripsOf } from './rates'
import styles from './xray.module.css'

/** Under the drawn chain: the last half minute of each layer, all that was counted, what happened, and what it means. */
export function XrayPanel({ view, trace }: { view: DiskView; trace: Trace | null }) {
  if (!trace) return <p className={styles.note}>Looking into QEMU…</p>
  const files = trace.files.filter(({ disk }) => disk === view.disk.id)
  return (
    <section className={styles.panel} aria-label="X-ray">
      <header>
        <h2>X-ray</h2>
        <Guest trace={trace} disk={view.disk.id} />
      </header>
      <TimeStrips view={view} trace={trace} files={files} />
      <Counts view={view} files={files} />
      {trace.sampled && (
        <p className={styles.note}>
          The guest is so busy that QEMU is watched for a few milliseconds once or twice a second: what is said of layers is reckoned from that, and what the
          guest asked for is exact.
        </p>
      )}
      <Lesson files={files} />
      <Log trace={trace} />
    </section>
  )
}

function Guest({ trace, disk }: { trace: Trace; disk: string }) {
  const guest = trace.guest.find((one) => one.disk === disk)
  if (!guest) return null
  return (
    <p>
      The guest has asked for {guest.reads.toLocaleString('en-GB')} reads ({formatSize(guest.readBytes)}) and {guest.writes.toLocaleString('en-GB')} writes (
      {formatSize(guest.writtenBytes)}) since you began to look.
    </p>
  )
}

const titleAt = (view: DiskView, path: string, images: Parameters<typeof titleOfFile>[1]): string => {
  const file = view.files.find((one) => one.path === path)
  return file ? titleOfFile(file, images) : fileName(path)
}

const WIDTH = STRIP_COLUMNS * 4
const HALF = 10

/** One row a layer: above the line what it served, below it what was written to it. */
function TimeStrips({ view, trace, files }: { view: DiskView; trace: Trace; files: readonly TraceFile[] }) {
  const images = useImages((state) => state.byId)
  const strips = stripsOf(trace, files)
  return (
    <div className={styles.strips}>
      {strips.map(({ path, served, written }) => (
        <div key={path} className={styles.strip}>
          <span>{titleAt(view, path, images)}</span>
          <svg viewBox={`0 0 ${WIDTH} ${2 * HALF + 1}`} preserveAspectRatio="none" role="img" aria-label={`Reads and writes of ${titleAt(view, path, images)}`}>
            <line x1="0" x2={WIDTH} y1={HALF + 0.5} y2={HALF + 0.5} className={styles.axis} />
            <path d={bars(served, -HALF, HALF)} className={styles.servedBars} />
            <path d={bars(written, HALF, HALF + 1)} className={styles.writtenBars} />
          </svg>
        </div>
      ))}
      <div className={styles.strip} aria-hidden>
        <span />
        <span className={styles.key}>
          <span>{'30\u00a0s ago'}</span>
          <span>
            <i data-kind="served" /> read, above the line <i data-kind="written" /> written, below it
          </span>
          <span>now</span>
        </span>
      </div>
    </div>
  )
}

/** Bars as one path. */
function bars(values: readonly number[], height: number, from: number): string {
  return values.map((value, index) => (value > 0 ? `M${index * 4} ${from}h3v${(value * height).toFixed(1)}h-3z` : '')).join('')
}

const COLUMNS: readonly (readonly [string, string, (file: TraceFile) => string])[] = [
  ['Opened', 'How often QEMU has opened it since it started', (file) => String(file.opens)],
  ['Asked', 'Reads that were asked of this layer: by the guest, or by the layer above', (file) => file.reads.toLocaleString('en-GB')],
  ['Served', 'What came from this layer itself; the rest came from below', (file) => formatSize(file.servedBytes)],
  ['Writes', 'Writes to this layer', (file) => file.writes.toLocaleString('en-GB')],
  ['Written', 'Bytes of them', (file) => formatSize(file.writtenBytes)],
  ['Clusters', 'Clusters it got, because something was written where it held nothing', (file) => file.clusters.toLocaleString('en-GB')],
  ['In the file', 'Reads and writes of the file itself, the tables of its format included', (file) => `${file.fileReads.toLocaleString('en-GB')} / ${file.fileWrites.toLocaleString('en-GB')}`]
]

function Counts({ view, files }: { view: DiskView; files: readonly TraceFile[] }) {
  const images = useImages((state) => state.byId)
  return (
    <div className={styles.scroll}>
      <table className={styles.counts}>
        <thead>
          <tr>
            <th scope="col">Layer</th>
            {COLUMNS.map(([name, meaning]) => (
              <th key={name} scope="col" title={meaning}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {files.map((file) => (
            <tr key={file.path}>
              <th scope="row">{titleAt(view, file.path, images)}</th>
              {COLUMNS.map(([name, , cell]) => (
                <td key={name}>{cell(file)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Why an overlay opens more files than a base, and what a commit does: in the numbers of this very disk. */
function Lesson({ files }: { files: readonly TraceFile[] }) {
  const opens = files.reduce((sum, file) => sum + file.opens, 0)
  const why =
    files.length === 1
      ? `This disk is one file, which QEMU opened ${opens} times: as a file of the host, and as what it means (its format). Each overlay adds a file, and is opened as often.`
      : `QEMU opened ${files.length} files for this disk, ${opens} opens in all, where a disk of one file takes 2: an overlay holds only what was written since, so all that it stands on has to be open as well, each as a file of the host and as what it means (its format).`
  return (
    <div className={styles.lesson}>
      <p>{why}</p>
      <p>
        A commit copies nothing: it seals the active layer and opens an empty one on top; the writes move there, and reads find the sealed one below. A merge copies: the
        layer is read, and the one below it written.
      </p>
    </div>
  )
}

function Log({ trace }: { trace: Trace }) {
  const shown = trace.events.slice(-12).toReversed()
  return (
    <div className={styles.log}>
      <h3>Opens and block jobs</h3>
      {shown.length === 0 && <p className={styles.note}>None since you began to look. Renew the overlay, and see what is opened.</p>}
      <ol>
        {shown.map(({ number, atMs, text }) => (
          <li key={number}>
            <time>{formatClockSeconds(atMs)}</time>
            <span data-selectable>{text}</span>
          </li>
        ))}
      </ol>
    </div>
  )
}
