import { useEffect, useRef } from 'react'
import type { DiskContent, ShareMode } from '#contract'
import { Banner, Checkbox, Field, RadioCards, TextInput } from '#ui'
import { ModePicture } from './mode-picture'
import { badFolder, setsUpCluster } from './words'
import styles from './shares.module.css'

export interface ModeChoiceProps {
  /** The owner's name. */
  machine: string
  mode: ShareMode
  onChange: (mode: ShareMode) => void
  contents: readonly DiskContent[] | null
  /** What all that write would damage. */
  damaged: string | null
  force: boolean
  onForce: (force: boolean) => void
  /** Where all guests get a cluster file system. */
  folder: string
  onFolder: (folder: string) => void
}

/** Who may write to a disk that is to be shared. */
export function ModeChoice({ machine, mode, onChange, contents, damaged, force, onForce, folder, onFolder }: ModeChoiceProps) {
  return (
    <fieldset className={styles.mode}>
      <legend>Who writes</legend>
      <RadioCards
        label="Who writes"
        value={mode}
        onChange={onChange}
        columns={3}
        cards={[
          { value: 'ro', label: `Only ${machine}`, note: 'The others read. QEMU refuses what they write.' },
          { value: 'rw', label: 'One at a time', note: `${machine} at first; a button hands it over.` },
          { value: 'cluster', label: 'All', note: 'On OCFS2, a file system that is made for it.' }
        ]}
      />
      {damaged === null ? (
        <>
          <ModePicture mode={mode} owner={machine} />
          {contents && <p className={styles.quiet}>{sayHolds(contents, mode === 'cluster' ? null : machine)}</p>}
        </>
      ) : (
        <Damage what={damaged} force={force} onForce={onForce} />
      )}
      {mode === 'cluster' && contents && setsUpCluster(contents) && (
        <>
          <p className={styles.quiet}>
            {contents[0]?.kind === 'OCFS2' ? 'What is on it stays.' : 'OCFS2 is made on it.'} The guests are connected over a network of their own, and get it mounted, now and whenever they start: about
            fifteen seconds. They need an agent and ocfs2-tools, as the built-in guest has. One that is paused for over a minute restarts when it goes on.
          </p>
          <Field label="Folder in every guest" layout="row" error={badFolder(folder)}>
            <TextInput mono value={folder} onChange={onFolder} />
          </Field>
        </>
      )}
    </fieldset>
  )
}

/** Shown at once, also in a small window: it is why the disk cannot be shared so. */
function Damage({ what, force, onForce }: { what: string; force: boolean; onForce: (force: boolean) => void }) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => place.current?.scrollIntoView({ block: 'nearest' }), [])
  return (
    <div ref={place}>
      <Banner tone="error">
        <div className={styles.damage}>
          <p>
            The disk holds {what}. Only one machine may write to it at a time: with several, each keeps in its memory what it knows of the disk and writes over the others: files vanish and
            the file system breaks, often within seconds.
          </p>
          <p>Choose “One at a time”; or take an empty disk, on which OCFS2 is made.</p>
          <Checkbox checked={force} onChange={onForce} label="Share it all the same; what is on it may be lost" />
        </div>
      </Banner>
    </div>
  )
}

/** What lies on the disk, in a sentence. @param writer who is to make a file system on an empty one; null: Strata does */
function sayHolds(contents: readonly DiskContent[], writer: string | null): string {
  const [first, ...more] = contents
  if (!first) return ''
  if (first.partition !== null) return `On the disk: ${contents.map(({ partition, kind }) => `${kind} in partition ${partition}`).join(', ')}.`
  if (more.length === 0 && first.kind === 'nothing') return writer === null ? 'The disk is empty.' : `The disk is empty: make a file system on it in ${writer} first, and there is something to read.`
  return first.kind === 'unknown' ? 'What is on the disk bears no mark that Strata knows.' : `On the disk: ${first.kind}.`
}
