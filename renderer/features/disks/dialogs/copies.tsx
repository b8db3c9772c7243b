import { useState } from 'react'
import { Button, Checkbox, Field, formatSize, RadioCards, Select } from '#ui'
import { closeOverlay, runCommand, shell, toast, useImages, useMachines } from '../../../app'
import { BeforeAfter } from '../drawing/before-after'
import { afterRebase, sketchOf } from '../drawing/sketch'
import { capital, commitsOf, namesOfCommits, timeToCopy, titleOfImage } from '../words'
import { diskImages, ImageField } from './add'
import type { DiskDialogProps } from './dialogs'
import { pathMistake, PathField, Sentence, TaskDialog, useTaskRun, withoutPathProblem } from './frame'

const FORMATS = [
  { value: 'qcow2', label: 'qcow2', note: 'QEMU’s own' },
  { value: 'raw', label: 'raw', note: 'The disk’s bytes as they are' },
  { value: 'vmdk', label: 'vmdk', note: 'VMware' },
  { value: 'vdi', label: 'vdi', note: 'VirtualBox' },
  { value: 'vhdx', label: 'vhdx', note: 'Hyper-V' }
] as const
type Format = (typeof FORMATS)[number]['value']

/** What the disk holds, in one file outside the library. */
export function ExportDialog({ machine, view }: DiskDialogProps) {
  const { disk } = view
  const [format, setFormat] = useState<Format>('qcow2')
  const [file, setFile] = useState('')
  const work = useTaskRun()
  const choose = (): Promise<string | null> =>
    shell().chooseSaveFile({ title: `Export ${disk.id}`, suggestedName: `${machine.name}-${disk.id}.${format}` })
  const run = async (): Promise<void> => {
    const done = await work.run('disk.export', { machine: machine.id, disk: disk.id, file, format })
    if (!done) return
    closeOverlay()
    toast(`${disk.id} of ${machine.name} is exported.`, { tone: 'good', note: `${done.file}, ${formatSize(done.fileSizeBytes)}` })
  }
  return (
    <TaskDialog
      title={`Export ${disk.id} of ${machine.name}`}
      description="Writes what the disk holds now to a file that stands on nothing."
      verb="Export"
      blocked={file === '' ? 'Say where to.' : pathMistake(file)}
      work={withoutPathProblem(work)}
      subject={machine.name}
      onRun={() => void run()}
      width={480}
    >
      <Field label="Format">
        <Select value={format} options={FORMATS} onChange={setFormat} />
      </Field>
      <PathField label="File" hint="A new file, by its whole path." value={file} onChange={setFile} choose={choose} work={work} />
    </TaskDialog>
  )
}

/** A copy for another machine, or for this one once more. */
export function CloneDialog({ machine, view }: DiskDialogProps) {
  const { disk } = view
  const machines = Object.values(useMachines((state) => state.byId)).sort((a, b) => a.name.localeCompare(b.name))
  const [to, setTo] = useState(machines.find((one) => one.id !== machine.id)?.id ?? machine.id)
  const [how, setHow] = useState<'whole' | 'linked'>('whole')
  const [forget, setForget] = useState(false)
  const work = useTaskRun()
  const total = view.files.reduce((sum, file) => sum + file.fileSizeBytes, 0)
  const active = disk.layers[0]
  const seals = how === 'linked' && !active?.commit
  const givenUp = seals ? commitsOf(disk.undone) : []
  const run = async (): Promise<void> => {
    const done = await work.run('disk.clone', { machine: machine.id, disk: disk.id, to, linked: how === 'linked', forget: seals && forget })
    if (!done) return
    closeOverlay()
    toast(`${done.machine} has a copy of it, ${done.disk.id}.`, { tone: 'good' })
  }
  return (
    <TaskDialog
      title={`Clone ${disk.id} of ${machine.name}`}
      description="Gives a machine a copy of what the disk holds now."
      verb="Clone"
      blocked={givenUp.length > 0 && !forget ? `Say that ${namesOfCommits(givenUp)} may go.` : null}
      work={work}
      subject={machine.name}
      onRun={() => void run()}
      width={480}
    >
      <Field label="For">
        <Select
          value={to}
          onChange={setTo}
          options={machines.map((one) => ({
            value: one.id,
            label: one.name,
            blocked: one.definition ? null : 'Its files cannot be used.'
          }))}
        />
      </Field>
      <RadioCards
        label="How"
        value={how}
        onChange={setHow}
        cards={[
          { value: 'whole', label: 'Whole', note: `One file that stands on nothing. It takes ${formatSize(total)} at most on the host, and ${timeToCopy(total)}.` },
          {
            value: 'linked',
            label: 'Linked',
            note: `${active?.commit ? '' : `What was written is sealed as commit ${disk.nextSequence}. `}Both stand on the layers that there are, each with an empty one on top: it takes a moment and no space. What they share stays as it is: nothing is merged into it.`,
            blocked: active?.temporary ? 'First say what becomes of what the temporary run has written: keep it, commit it or discard it.' : null
          }
        ]}
      />
      {givenUp.length > 0 && (
        <Checkbox
          checked={forget}
          onChange={setForget}
          label={`Give up ${namesOfCommits(givenUp)}`}
          note={`${capital(namesOfCommits(givenUp))} ${givenUp.length === 1 ? 'was' : 'were'} undone, and cannot follow what is sealed now.`}
        />
      )}
    </TaskDialog>
  )
}

/** The lowest layer gets another image below it. */
export function RebaseDialog({ machine, view, overlay }: DiskDialogProps) {
  const all = useImages((state) => state.byId)
  const { disk } = view
  const images = diskImages(all).filter((image) => image.id !== disk.image?.imageId)
  const [chosen, setChosen] = useState(overlay.imageId ?? images[0]?.id ?? '')
  const [moved, setMoved] = useState(false)
  const work = useTaskRun()
  const image = images.find((one) => one.id === chosen)
  const before = sketchOf(view, all)
  const tooLarge =
    image && image.virtualSizeBytes > disk.sizeBytes
      ? `That image has ${formatSize(image.virtualSizeBytes)}, more than the disk: make the disk larger first.`
      : null
  const read = (image?.fileSizeBytes ?? 0) + (before.stack.find((slab) => slab.kind === 'ground')?.sizeBytes ?? 0)
  const run = async (): Promise<void> => {
    if (!(await work.run('disk.rebase', { machine: machine.id, disk: disk.id, image: chosen, moved }))) return
    closeOverlay()
    toast(`${disk.id} of ${machine.name} stands on ${image ? titleOfImage(image, image.path) : 'the image'} now.`, { tone: 'good' })
  }
  return (
    <TaskDialog
      title={`Let ${disk.id} of ${machine.name} stand on another image`}
      description="A rebase: what the guest sees stays the same. Where the images differ, the old content is copied into the lowest layer."
      verb="Rebase"
      blocked={image ? tooLarge : 'The library has no other disk image.'}
      work={work}
      subject={machine.name}
      onRun={() => void run()}
    >
      {images.length > 0 ? <ImageField label="Image" images={images} value={chosen} onChange={setChosen} error={tooLarge} /> : <NoOtherImage />}
      <BeforeAfter
        before={before}
        after={
          image ? afterRebase(before, { path: image.path, title: titleOfImage(image, image.path), sizeBytes: image.fileSizeBytes }) : null
        }
        nothing="No image is chosen."
      />
      {image && disk.image && (
        <Checkbox
          checked={moved}
          onChange={setMoved}
          label="It is the same image in another place"
          note="Nothing is compared or copied. If it is not the same, the disk is damaged."
        />
      )}
      {image && !moved && <Sentence>Both images are read whole, which takes {timeToCopy(read)}; the layer grows by what differs.</Sentence>}
    </TaskDialog>
  )
}

const NoOtherImage = () => (
  <>
    <Sentence>There is no other disk image in the library that it could stand on.</Sentence>
    <div>
      <Button
        onClick={() => {
          closeOverlay()
          runCommand('image.import')
        }}
      >
        Import an image…
      </Button>
    </div>
  </>
)
