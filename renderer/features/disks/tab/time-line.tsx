import type { CommitRecord, DiskView } from '#contract'
import { cx, formatSize, RelativeTime, tip } from '#ui'
import styles from './time-line.module.css'

export interface TimeLineProps {
  view: DiskView
  /** Called with a commit that can be undone, or redone. */
  onChoose: (entry: CommitRecord) => void
  /** Where one would be after what is being asked: the commits that would change are marked. */
  chosen?: { sequence: number; to: 'undo' | 'redo' } | null
  /** Which commits can be chosen. By default all that can be undone or redone. */
  only?: 'applied' | 'undone'
}

const WHY_NOT: Partial<Record<CommitRecord['state'], string>> = {
  merged: 'It was merged into the layer below, which made it final.',
  forgotten: 'It was given up: something else was committed after it had been undone.'
}
const WORDS: Record<CommitRecord['state'], string> = { applied: '', undone: 'undone', merged: 'final', forgotten: 'given up' }

/** The commits of a disk, newest first, with now among them: what lies above it was undone. */
export function TimeLine({ view, onChoose, chosen, only }: TimeLineProps) {
  const newestFirst = [...view.disk.history].reverse()
  const undone = newestFirst.filter((entry) => entry.state === 'undone')
  const rest = newestFirst.filter((entry) => entry.state !== 'undone')
  const entry = (one: CommitRecord) => (
    <Entry key={one.sequence} entry={one} onChoose={onChoose} changes={changes(one, chosen)} first={chosen?.sequence === one.sequence} only={only} />
  )
  return (
    <ol className={styles.line} aria-label="History">
      {undone.map(entry)}
      <Now view={view} lost={chosen !== undefined && chosen !== null} />
      {rest.map(entry)}
      {newestFirst.length === 0 && <li className={styles.empty}>No commits yet. A commit seals what was written, and can be undone.</li>}
    </ol>
  )
}

function changes(entry: CommitRecord, chosen: TimeLineProps['chosen']): boolean {
  if (!chosen) return false
  return chosen.to === 'undo'
    ? entry.state === 'applied' && entry.sequence >= chosen.sequence
    : entry.state === 'undone' && entry.sequence <= chosen.sequence
}

/** Where the disk is: what was written since the last commit. */
function Now({ view, lost }: { view: DiskView; lost: boolean }) {
  const active = view.files[0]
  const sealed = active?.of.kind === 'layer' && active.of.layer.commit !== null
  return (
    <li className={cx(styles.entry, styles.now)} data-lost={lost || undefined}>
      <span className={styles.dot} aria-hidden />
      <span className={styles.words}>
        <strong>Now</strong>
        <small>
          {sealed ? 'nothing was written since' : `${formatSize(active?.fileSizeBytes ?? 0)} in the active layer, not committed`}
        </small>
      </span>
    </li>
  )
}

interface EntryProps {
  entry: CommitRecord
  onChoose: (entry: CommitRecord) => void
  changes: boolean
  /** It has the focus when the line appears. */
  first: boolean
  only: TimeLineProps['only']
}

function Entry({ entry, onChoose, changes, first, only }: EntryProps) {
  const { sequence, atMs, note, bytes, state } = entry
  const possible = (state === 'applied' || state === 'undone') && (only === undefined || only === state)
  const hint = WHY_NOT[state] ?? (!possible ? null : state === 'applied' ? 'Go back to before this commit' : 'Redo up to this commit')
  const content = (
    <>
      <span className={styles.dot} aria-hidden />
      <span className={styles.words}>
        <span className={styles.title}>
          <strong>Commit {sequence}</strong>
          {WORDS[state] && <em>{WORDS[state]}</em>}
        </span>
        {note && <span className={styles.note}>{note}</span>}
        <small>
          <RelativeTime atMs={atMs} />, {formatSize(bytes)}
        </small>
      </span>
    </>
  )
  return (
    <li className={styles.item} data-state={state} data-changes={changes || undefined}>
      {possible ? (
        <button type="button" autoFocus={first} className={styles.entry} aria-pressed={changes} {...tip(hint)} onClick={() => onChoose(entry)}>
          {content}
        </button>
      ) : (
        <div className={styles.entry} {...tip(hint)}>
          {content}
        </div>
      )}
    </li>
  )
}
