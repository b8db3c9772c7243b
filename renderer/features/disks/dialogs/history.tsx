import { useState, type ReactNode } from 'react'
import type { Disk, DiskView, Machine } from '#contract'
import { Banner, Checkbox, Field, formatSize, TextInput } from '#ui'
import { closeOverlay, openOverlay, toast, useImages } from '../../../app'
import { BeforeAfter } from '../drawing/before-after'
import { afterRedo, afterUndo, sketchOf, type Sketch } from '../drawing/sketch'
import { useLive } from '../live'
import { TimeLine } from '../tab/time-line'
import { capital, commitsOf, lastSafePoint, namesOfCommits } from '../words'
import type { DiskDialogProps } from './dialogs'
import { Sentence, TaskDialog, useTaskRun } from './frame'
import styles from './dialogs.module.css'

/** What undo, redo and discard share: they need the machine off, and throw away what was not committed. */
function useTravel(machine: Machine, view: DiskView) {
  const [again, setAgain] = useState(true)
  const [discard, setDiscard] = useState(false)
  const work = useTaskRun()
  const runs = view.inUse
  const { value: map } = useLive('disk.map', runs ? null : { machine: machine.id, disk: view.disk.id, most: 16 }, null)
  const active = view.disk.layers[0]
  // As the core tells it: the layer holds no data at all. While a guest runs, it may write until it is off.
  const empty = Boolean(active?.commit) || (!runs && map?.layers[0]?.ranges.length === 0)
  const blocked = !empty && !discard ? 'Say that what was not committed may go, or commit it first.' : null
  const travel = async (act: () => Promise<unknown>): Promise<boolean> => {
    if (runs && !(await work.run('machine.stop', { machine: machine.id }))) return false
    if (!(await act())) return false
    if (runs && again) await work.run('machine.start', { machine: machine.id })
    return true
  }
  return { work, runs, empty, discard, setDiscard, again, setAgain, blocked, travel }
}
type Travel = ReturnType<typeof useTravel>

/** The questions that go with it. */
function TravelQuestions({ machine, view, travel }: { machine: Machine; view: DiskView; travel: Travel }) {
  const { runs, empty, discard, setDiscard, again, setAgain } = travel
  const { disk } = view
  return (
    <>
      {!empty && (
        <Checkbox
          checked={discard}
          onChange={setDiscard}
          label={`Throw away what was written since ${lastSafePoint(disk)}`}
          note={
            <>
              What is in the active layer ({formatSize(view.files[0]?.fileSizeBytes ?? 0)}) is not committed, and will be lost.{' '}
              <button
                type="button"
                className={styles.link}
                onClick={() => openOverlay({ kind: 'disk', action: 'commit', machine: machine.id, disk: disk.id })}
              >
                Commit it first…
              </button>
            </>
          }
        />
      )}
      {runs && (
        <Banner tone="warning">
          <p>{machine.name} runs, and its disk can only be taken to another state when it is off. Its guest is asked to power off first.</p>
          <Checkbox checked={again} onChange={setAgain} label="Start it again afterwards" />
        </Banner>
      )}
    </>
  )
}

interface TravelDialogProps {
  machine: Machine
  view: DiskView
  travel: Travel
  way: 'undo' | 'redo'
  description: string
  /** Said instead of a choice where there is no commit to choose. */
  none: string
  possible: readonly number[]
  chosen: number | null
  onChoose: (sequence: number) => void
  after: Sketch | null
  /** Under the time line. */
  more?: ReactNode
  /** What becomes of the commits that are chosen. */
  children?: ReactNode
  onRun: () => void
}

/** The time line to choose from, the picture, and the questions. */
function TravelDialog({ machine, view, travel, way, description, none, possible, chosen, onChoose, after, more, children, onRun }: TravelDialogProps) {
  const images = useImages((state) => state.byId)
  const before = sketchOf(view, images)
  return (
    <TaskDialog
      title={`${capital(way)} on ${view.disk.id} of ${machine.name}`}
      description={description}
      verb={travel.runs ? `Stop and ${way}` : capital(way)}
      blocked={possible.length === 0 ? none : chosen === null ? 'Choose a commit.' : travel.blocked}
      work={travel.work}
      subject={machine.name}
      onRun={onRun}
      width={820}
    >
      <div className={styles.travel}>
        <div className={styles.times}>
          <TimeLine
            view={view}
            only={way === 'undo' ? 'applied' : 'undone'}
            chosen={chosen === null ? null : { sequence: chosen, to: way }}
            onChoose={(entry) => onChoose(entry.sequence)}
          />
          {more}
        </div>
        <div className={styles.form}>
          <BeforeAfter before={before} after={after} gone={travel.empty ? [] : activeOf(before)} />
          {children}
          <TravelQuestions machine={machine} view={view} travel={travel} />
        </div>
      </div>
    </TaskDialog>
  )
}

const applied = (disk: Disk): number[] => disk.history.filter((entry) => entry.state === 'applied').map((entry) => entry.sequence)

/** Back to the state before a commit that is chosen on the time line, or by a time. */
export function UndoDialog({ machine, view, overlay }: DiskDialogProps) {
  const images = useImages((state) => state.byId)
  const { disk } = view
  const possible = applied(disk)
  const [chosen, setChosen] = useState<number | null>(overlay.sequence ?? possible.at(-1) ?? null)
  const travel = useTravel(machine, view)
  const sequence = chosen !== null && possible.includes(chosen) ? chosen : null
  const taken = possible.filter((one) => sequence !== null && one >= sequence)
  const before = sketchOf(view, images)
  const after = sequence === null ? null : afterUndo(before, sequence)

  const run = async (): Promise<void> => {
    if (sequence === null) return
    const input = { machine: machine.id, disk: disk.id, to: sequence, discard: travel.discard }
    if (!(await travel.travel(() => travel.work.run('overlay.undo', input)))) return
    closeOverlay()
    toast(`${disk.id} of ${machine.name} is as it was before commit ${sequence}.`, {
      tone: 'good',
      note: 'What was undone can be redone until something else is committed.',
      actions: [
        {
          label: 'Redo…',
          run: () => openOverlay({ kind: 'disk', action: 'redo', machine: machine.id, disk: disk.id, sequence: taken.at(-1)! })
        }
      ]
    })
  }
  return (
    <TravelDialog
      {...{ machine, view, travel, possible }}
      way="undo"
      description="Takes the disk back to the state before a commit."
      none="There is no commit that could be undone."
      chosen={sequence}
      onChoose={setChosen}
      after={after}
      more={<AsOf disk={disk} onChoose={setChosen} />}
      onRun={() => void run()}
    >
      {taken.length > 0 && (
        <Sentence>
          {capital(namesOfCommits(taken))} {taken.length === 1 ? 'is' : 'are'} set aside. {taken.length === 1 ? 'It' : 'They'} can be redone
          until something else is committed; from then on {taken.length === 1 ? 'it is' : 'they are'} out of reach. Nothing is copied: it
          takes a moment, and no space.
        </Sentence>
      )}
    </TravelDialog>
  )
}

const activeOf = (sketch: ReturnType<typeof sketchOf>): string[] =>
  sketch.stack.filter((slab) => slab.kind === 'active').map((slab) => slab.key)

/** The state as of a time: the first commit after it is the one to undo. */
function AsOf({ disk, onChoose }: { disk: Disk; onChoose: (sequence: number | null) => void }) {
  const [at, setAt] = useState('')
  const first = disk.history.find((entry) => entry.state === 'applied' && entry.atMs > Date.parse(at))
  const set = (text: string): void => {
    setAt(text)
    const moment = Date.parse(text)
    if (Number.isNaN(moment)) return
    onChoose(disk.history.find((entry) => entry.state === 'applied' && entry.atMs > moment)?.sequence ?? null)
  }
  return (
    <Field label="Or as of" hint={at === '' || first ? null : 'Nothing was committed after that time.'}>
      <TextInput type="datetime-local" value={at} onChange={set} />
    </Field>
  )
}

/** Forward again, up to a commit that was undone. */
export function RedoDialog({ machine, view, overlay }: DiskDialogProps) {
  const images = useImages((state) => state.byId)
  const { disk } = view
  const possible = commitsOf(disk.undone)
  const [chosen, setChosen] = useState(overlay.sequence ?? possible[0] ?? 0)
  const travel = useTravel(machine, view)
  const sequence = possible.includes(chosen) ? chosen : null
  const back = possible.slice(0, sequence === null ? 0 : possible.indexOf(sequence) + 1)
  const before = sketchOf(view, images)

  const run = async (): Promise<void> => {
    if (sequence === null) return
    const input = { machine: machine.id, disk: disk.id, to: sequence, discard: travel.discard }
    if (!(await travel.travel(() => travel.work.run('overlay.redo', input)))) return
    closeOverlay()
    toast(`${capital(namesOfCommits(back))} of ${disk.id} ${back.length === 1 ? 'is' : 'are'} back.`, { tone: 'good' })
  }
  return (
    <TravelDialog
      {...{ machine, view, travel, possible }}
      way="redo"
      description="Brings back commits that were undone."
      none="No commit was undone."
      chosen={sequence}
      onChoose={setChosen}
      after={sequence === null ? null : afterRedo(before, sequence)}
      onRun={() => void run()}
    >
      {back.length > 0 && (
        <Sentence>
          {capital(namesOfCommits(back))} {back.length === 1 ? 'is' : 'are'} put back on the stack, with an empty layer on top.
        </Sentence>
      )}
    </TravelDialog>
  )
}
