import { useState } from 'react'
import { Archive, ArchiveRestore, Eraser, ShieldCheck } from 'lucide-react'
import type { StoreCleaned, StoreStats, StoreVerified } from '#contract'
import { Banner, Button, Details, EmptyState, ErrorNotice, formatCount, formatPercent, formatSize, RelativeTime } from '#ui'
import { attemptTask, copyText, runCommand, toast, useImages, useSnapshots } from '../../app'
import { RunningTasks } from '../tasks'
import { ArchiveDialog } from './archive-dialog'
import { ArchivesTable } from './archives-table'
import { ChunkSizes } from './chunk-sizes'
import { Sizes } from './sizes'
import { inWords } from './titles'
import { resultOf, useStats, useTaskOf } from './use-stats'
import styles from './store.module.css'

/** What is archived, what it takes, and whether it is sound. */
export function StoreScreen() {
  const { value, error, again } = useStats()
  const [archiving, setArchiving] = useState(false)
  const noImages = useImages((state) => Object.values(state.byId).every((image) => image.kind === 'guest' || image.kind === 'unknown'))
  const nothing = value !== null && value.archives.length === 0 && value.unreadable.length === 0
  const blocked = noImages ? 'There is no image to archive: import one first.' : null
  return (
    <section className={styles.screen} aria-label="Store">
      <header className={styles.head}>
        <h1>Store</h1>
        <p className={styles.sum}>{value && !nothing && sumOf(value)}</p>
        <Button icon={Archive} blocked={blocked} onClick={() => setArchiving(true)}>
          Archive an image…
        </Button>
        <Care stats={value} />
      </header>
      {error && <ErrorNotice error={error} onCopy={copyText} />}
      <RunningTasks of={({ operation }) => operation.startsWith('store.')} />
      {value && <Unreadable stats={value} />}
      <Verified />
      {nothing && (
        <EmptyState
          icon={ArchiveRestore}
          title="Nothing is archived yet"
          actions={
            noImages ? (
              <Button onClick={() => runCommand('image.import')}>Import an image…</Button>
            ) : (
              <Button onClick={() => setArchiving(true)}>Archive an image…</Button>
            )
          }
        >
          The store keeps images, and the memory of snapshots, in little space: what several have in common is stored once, compressed, and zeros
          not at all. Snapshots come here by themselves, a minute after they were taken. An image that is archived can be removed, and made again.
        </EmptyState>
      )}
      {value && !nothing && (
        <>
          <Sizes stats={value} />
          <ArchivesTable archives={value.archives} onChanged={again} />
        </>
      )}
      {value && <ChunkSizes stats={value} blocked={noImages && nothing ? 'There is nothing to measure with: import an image first.' : null} />}
      {archiving && <ArchiveDialog taken={value?.archives.map((archive) => archive.name) ?? []} onClose={() => setArchiving(false)} />}
    </section>
  )
}

function sumOf({ archives, dataBytes, storedBytes }: StoreStats): string {
  const saved = dataBytes > storedBytes ? `: ${formatPercent(1 - storedBytes / dataBytes)} saved` : ''
  return `${formatCount(archives.length, 'archive')} in ${formatSize(storedBytes)}${saved}`
}

/** Verification and clean-up, where there is something to verify or to clean. */
function Care({ stats }: { stats: StoreStats | null }) {
  const verifying = useTaskOf('store.verify').running
  const cleaning = useTaskOf('store.gc').running
  const empty = stats === null || stats.packs + stats.archives.length + stats.unreadable.length === 0 ? 'Nothing is stored yet.' : null
  const unused = stats?.unusedBytes ?? 0
  const cleanUp = async (): Promise<void> => {
    const cleaned = await attemptTask('store.gc', {})
    if (cleaned.ok) toast(wordsOn(cleaned.value), { tone: 'good' })
  }
  return (
    <>
      <Button icon={ShieldCheck} busy={verifying !== null} blocked={empty} hint="Reads every chunk and checks it" onClick={() => void attemptTask('store.verify', {})}>
        Verify
      </Button>
      <Button icon={Eraser} busy={cleaning !== null} blocked={empty ?? (unused === 0 ? 'All that is stored is needed.' : null)} hint={`Gives back about ${formatSize(unused)}`} onClick={() => void cleanUp()}>
        Clean up
      </Button>
    </>
  )
}

const wordsOn = ({ freedBytes, damagedPacks }: StoreCleaned): string =>
  (freedBytes > 0 ? `${formatSize(freedBytes)} given back.` : 'There was not enough to give back yet.') +
  (damagedPacks.length > 0 ? ` ${formatCount(damagedPacks.length, 'damaged pack')} left alone.` : '')

/** What the last verification found, until the window is opened anew or another one is done. */
function Verified() {
  const { done } = useTaskOf('store.verify')
  const snapshots = useSnapshots((state) => state.byId)
  const found = resultOf<StoreVerified>(done)
  if (!found || !done?.endedAtMs) return null
  const sound = found.damagedChunks === 0 && found.unreadable.length === 0
  if (sound) {
    return (
      <Banner tone="good">
        <p>
          Everything was as it was saved: {formatCount(found.archives, 'archive')}, {formatSize(found.checkedBytes)} checked{' '}
          <RelativeTime atMs={done.endedAtMs} />.
        </p>
      </Banner>
    )
  }
  return (
    <Banner tone="error">
      <p>
        {found.touchedArchives.length === 0 ? 'Damage was found, but no archive needs what is damaged.' : `Damage was found. These archives cannot be loaded as a whole: ${found.touchedArchives.map((name) => inWords(name, snapshots)).join(', ')}. All others can.`}
      </p>
      <p>Archive the same image, or the memory of the same snapshot, again while it is there: what is damaged is then stored anew.</p>
      <Details label={`${formatCount(found.damagedChunks, 'damaged chunk')}, ${formatCount(found.unreadable.length, 'unreadable file')}`}>
        <ul className={styles.damage} data-selectable>
          {found.unreadable.map(({ path, problem }) => (
            <li key={path}>{problem}</li>
          ))}
          {found.damaged.slice(0, 100).map(({ chunk, pack, touches }) => (
            <li key={`${pack} ${chunk} ${touches[0]?.offset}`}>
              <code>{chunk || 'unknown'}</code> {touches.map((touch) => `${inWords(touch.archive, snapshots)}, ${touch.file} at ${formatSize(touch.offset)}`).join('; ')}
            </li>
          ))}
        </ul>
      </Details>
    </Banner>
  )
}

function Unreadable({ stats }: { stats: StoreStats }) {
  return stats.unreadable.map(({ path, problem }) => (
    <Banner key={path} tone="error">
      <p data-selectable>{problem}</p>
    </Banner>
  ))
}
