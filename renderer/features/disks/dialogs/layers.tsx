import { useState } from 'react'
import type { DiskView } from '#contract'
import { Banner, Checkbox, Field, formatSize, Select, TextInput } from '#ui'
import { closeOverlay, toast, useImages } from '../../../app'
import { whyNotInto } from '../merge-allowed'
import { BeforeAfter } from '../drawing/before-after'
import { afterDiscard, afterFlatten, afterMerge, afterOverlay, sketchOf } from '../drawing/sketch'
import { capital, commitsOf, lastSafePoint, namesOfCommits, timeToCopy, titleOfLayer } from '../words'
import type { DiskDialogProps } from './dialogs'
import { Sentence, TaskDialog, useTaskRun } from './frame'

interface ForgetProps {
  /** Commits that cannot be had any more afterwards. */
  lost: readonly number[]
  forget: boolean
  setForget: (forget: boolean) => void
  label: string
  note: string
}
/** That commits may go has to be said; where none goes, there is nothing to say. */
const Forget = ({ lost, forget, setForget, label, note }: ForgetProps) =>
  lost.length > 0 && <Checkbox checked={forget} onChange={setForget} label={label} note={note} />

const goesOn = ({ inUse, machine }: DiskView): string => (inUse ? ` ${machine} goes on running meanwhile.` : '')

/** Everything above a layer, merged into it. */
export function MergeDialog({ machine, view, overlay }: DiskDialogProps) {
  const images = useImages((state) => state.byId)
  const { disk } = view
  const below = disk.layers.slice(1)
  const [chosen, setChosen] = useState(overlay.nodeName ?? below[0]?.nodeName ?? '')
  const [forget, setForget] = useState(false)
  const work = useTaskRun()
  const at = disk.layers.findIndex((layer) => layer.nodeName === chosen)
  const into = disk.layers[at]
  const lost = [...commitsOf(disk.layers.slice(0, Math.max(0, at))), ...commitsOf(disk.undone)]
  const before = sketchOf(view, images)
  const copied = view.files.slice(0, Math.max(0, at)).reduce((sum, file) => sum + file.fileSizeBytes, 0)
  const gone = before.stack.slice(0, Math.max(0, at)).map((slab) => slab.key)

  const run = async (): Promise<void> => {
    const done = await work.run('overlay.commit', { machine: machine.id, disk: disk.id, into: chosen, forget, history: false })
    if (!done) return
    closeOverlay()
    toast(`${disk.id} of ${machine.name} has ${done.disk.layers.length === 1 ? 'one layer' : `${done.disk.layers.length} layers`} now.`, {
      tone: 'good'
    })
  }
  return (
    <TaskDialog
      title={`Merge layers of ${disk.id} of ${machine.name}`}
      description="Writes all layers above one into it. What the guest sees stays the same."
      verb="Merge"
      blocked={
        !into
          ? 'Choose the layer to merge into.'
          : (whyNotInto(view, chosen) ?? (lost.length > 0 && !forget ? `Say that ${namesOfCommits(lost)} may become final.` : null))
      }
      work={work}
      subject={machine.name}
      onRun={() => void run()}
    >
      <Field label="Merge everything above into">
        <Select
          value={chosen}
          onChange={setChosen}
          options={below.map((layer) => ({ value: layer.nodeName, label: titleOfLayer(layer, false), note: layer.nodeName }))}
        />
      </Field>
      <BeforeAfter
        before={before}
        after={into ? afterMerge(before, chosen, view.inUse && into.commit !== null) : null}
        gone={[...gone, ...before.aside.map((slab) => slab.key)]}
      />
      <Sentence>
        {formatSize(copied)} at most are copied down, which takes {timeToCopy(copied)}; then {at === 1 ? 'the layer’s file is' : 'their files are'} deleted.
        {goesOn(view)}
      </Sentence>
      <Forget
        {...{ lost, forget, setForget }}
        label={`Make ${namesOfCommits(lost)} final`}
        note={`The states before ${lost.length === 1 ? 'it' : 'them'} cannot be had any more.`}
      />
    </TaskDialog>
  )
}

/** An empty layer on top, without a commit. */
export function OverlayDialog({ machine, view }: DiskDialogProps) {
  const images = useImages((state) => state.byId)
  const [note, setNote] = useState('')
  const work = useTaskRun()
  const before = sketchOf(view, images)
  const run = async (): Promise<void> => {
    if (!(await work.run('overlay.create', { machine: machine.id, disk: view.disk.id, note }))) return
    closeOverlay()
    toast(`${view.disk.id} of ${machine.name} has an empty overlay.`, { tone: 'good' })
  }
  return (
    <TaskDialog
      title={`Put an overlay on ${view.disk.id} of ${machine.name}`}
      description="What is written from now on goes to a layer of its own, which can be committed, merged or thrown away."
      verb="Put it on"
      work={work}
      subject={machine.name}
      onRun={() => void run()}
    >
      <BeforeAfter before={before} after={afterOverlay(before, note)} />
      <Field label="Note" hint="What the new layer is for.">
        <TextInput autoFocus value={note} maxLength={500} placeholder="such as: trying the new kernel" onChange={setNote} />
      </Field>
    </TaskDialog>
  )
}

/** Back to the last fixed point. */
export function DiscardDialog({ machine, view }: DiskDialogProps) {
  const images = useImages((state) => state.byId)
  const work = useTaskRun()
  const before = sketchOf(view, images)
  const { disk } = view
  const run = async (): Promise<void> => {
    if (view.inUse && !(await work.run('machine.stop', { machine: machine.id }))) return
    if (!(await work.run('overlay.discard', { machine: machine.id, disk: disk.id }))) return
    closeOverlay()
    toast(`What was written to ${disk.id} of ${machine.name} is gone.`, { tone: 'good' })
  }
  return (
    <TaskDialog
      title={`Discard what was written to ${disk.id} of ${machine.name}`}
      description={`Takes the disk back to how it was after ${lastSafePoint(disk)}.`}
      verb={view.inUse ? 'Stop and discard' : 'Discard'}
      danger
      work={work}
      subject={machine.name}
      onRun={() => void run()}
    >
      <BeforeAfter before={before} after={afterDiscard(before)} gone={before.stack.slice(0, 1).map((slab) => slab.key)} />
      <Sentence>
        {formatSize(view.files[0]?.fileSizeBytes ?? 0)} are thrown away and cannot be brought back. To be able to, commit them and undo the
        commit.
      </Sentence>
      {view.inUse && (
        <Banner tone="warning">{machine.name} runs, and needs to be off for this. Its guest is asked to power off first.</Banner>
      )}
    </TaskDialog>
  )
}

/** One file that stands on nothing. */
export function FlattenDialog({ machine, view }: DiskDialogProps) {
  const images = useImages((state) => state.byId)
  const [forget, setForget] = useState(false)
  const work = useTaskRun()
  const { disk } = view
  const lost = commitsOf([...disk.layers, ...disk.undone])
  const before = sketchOf(view, images)
  const total = view.files.reduce((sum, file) => sum + file.fileSizeBytes, 0)
  const run = async (): Promise<void> => {
    if (!(await work.run('disk.flatten', { machine: machine.id, disk: disk.id, forget }))) return
    closeOverlay()
    toast(`${disk.id} of ${machine.name} is one file that stands on nothing.`, { tone: 'good' })
  }
  return (
    <TaskDialog
      title={`Flatten ${disk.id} of ${machine.name}`}
      description="Copies up all that lies below, so that the disk is one file that needs no other."
      verb="Flatten"
      blocked={lost.length > 0 && !forget ? 'Say that the history may go.' : null}
      work={work}
      subject={machine.name}
      onRun={() => void run()}
    >
      <BeforeAfter
        before={before}
        after={afterFlatten(before, disk.sizeBytes)}
        gone={[...before.stack.slice(1).filter((slab) => slab.kind !== 'ground'), ...before.aside].map((slab) => slab.key)}
      />
      <Sentence>
        It takes {formatSize(total)} at most on the host, and {timeToCopy(total)}.{disk.image && ' The image stays as it is, for whoever else stands on it.'}
        {goesOn(view)}
      </Sentence>
      <Forget {...{ lost, forget, setForget }} label="Give up the history" note={`${capital(namesOfCommits(lost))} can then be neither undone nor redone.`} />
    </TaskDialog>
  )
}
