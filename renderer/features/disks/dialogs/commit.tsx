import { useState } from 'react'
import { Checkbox, Field, formatSize, RadioCards, TextInput } from '#ui'
import { closeOverlay, openOverlay, toast, useImages } from '../../../app'
import { whyNotForGood } from '../merge-allowed'
import { BeforeAfter } from '../drawing/before-after'
import { afterCommit, afterMerge, sketchOf } from '../drawing/sketch'
import { capital, commitsOf, namesOfCommits, timeToCopy, titleOfLayer } from '../words'
import type { DiskDialogProps } from './dialogs'
import { TaskDialog, useTaskRun } from './frame'

/** Commit and renew: what was written is sealed, or merged for good. */
export function CommitDialog({ machine, view, renew }: DiskDialogProps & { renew: boolean }) {
  const images = useImages((state) => state.byId)
  const [note, setNote] = useState('')
  const [keep, setKeep] = useState<'history' | 'good'>('history')
  const [forget, setForget] = useState(false)
  const work = useTaskRun()
  const { disk } = view
  const below = disk.layers[1]
  const written = view.files[0]?.fileSizeBytes ?? 0
  const givenUp = commitsOf(disk.undone)
  const before = sketchOf(view, images)
  const sequence = disk.nextSequence
  const renewed = renew || view.inUse
  const after =
    keep === 'history'
      ? afterCommit(before, { sequence, note }, renewed)
      : afterMerge(before, below?.nodeName ?? '', renew || (view.inUse && !!below?.commit))
  const blocked = givenUp.length > 0 && !forget ? `Say that ${namesOfCommits(givenUp)} may go.` : null

  const run = async (): Promise<void> => {
    const input = { machine: machine.id, disk: disk.id, note, history: keep === 'history', forget }
    const done = await work.run(renew ? 'overlay.renew' : 'overlay.commit', input)
    if (!done) return
    closeOverlay()
    if (keep === 'good') toast(`What was written to ${disk.id} is merged for good.`, { tone: 'good' })
    else
      toast(`Commit ${sequence} of ${disk.id} is made.`, {
        tone: 'good',
        note: renewed ? `${machine.name} goes on with an empty overlay.` : undefined,
        actions: [
          { label: 'Undo…', run: () => openOverlay({ kind: 'disk', action: 'undo', machine: machine.id, disk: disk.id, sequence }) }
        ]
      })
  }
  return (
    <TaskDialog
      title={`${renew ? 'Renew' : 'Commit'} ${disk.id} of ${machine.name}`}
      description={
        renew
          ? 'Commits what was written, and goes on with an empty overlay under the running guest.'
          : 'Makes what was written a fixed point, to which the disk can be taken back.'
      }
      verb={renew ? 'Renew' : 'Commit'}
      blocked={blocked}
      work={work}
      subject={machine.name}
      onRun={() => void run()}
    >
      <BeforeAfter before={before} after={after} gone={[...(keep === 'good' ? before.stack.slice(0, 1) : []), ...before.aside].map((slab) => slab.key)} />
      {keep === 'history' && (
        <Field label="Note" hint="What it is, for the history.">
          <TextInput autoFocus value={note} maxLength={500} placeholder="such as: web server set up" onChange={setNote} />
        </Field>
      )}
      <RadioCards
        label="What becomes of the state before"
        value={keep}
        onChange={setKeep}
        cards={[
          {
            value: 'history',
            label: 'Keep it: the commit can be undone',
            note: `The layer is sealed as commit ${sequence}. Nothing is copied: it takes a moment and no space.`
          },
          {
            value: 'good',
            label: 'For good: merge it into the layer below',
            note: below
              ? `Copies ${formatSize(written)} into ${below.commit ? `commit ${below.commit.sequence}, which then holds it too: undoing that one takes both away` : titleOfLayer(below, false)}. It takes ${timeToCopy(written)}, and cannot be undone by itself.`
              : undefined,
            blocked: whyNotForGood(view)
          }
        ]}
      />
      {givenUp.length > 0 && (
        <Checkbox
          checked={forget}
          onChange={setForget}
          label={`Give up ${namesOfCommits(givenUp)}`}
          note={`${capital(namesOfCommits(givenUp))} ${givenUp.length === 1 ? 'was' : 'were'} undone, and cannot follow what is committed now. Redo first to keep ${givenUp.length === 1 ? 'it' : 'them'}.`}
        />
      )}
    </TaskDialog>
  )
}
