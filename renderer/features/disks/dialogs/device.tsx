import { useState } from 'react'
import { Banner, Checkbox, Field, formatSize, SizeInput, TextInput } from '#ui'
import { closeOverlay, goTo, toast } from '../../../app'
import { NO_SIZE } from '../words'
import type { DiskDialogProps } from './dialogs'
import { Sentence, TaskDialog, useTaskRun, wrongOptionalName } from './frame'

/** Larger only. */
export function ResizeDialog({ machine, view }: DiskDialogProps) {
  const { disk } = view
  const [size, setSize] = useState<number | null>(disk.sizeBytes * 2)
  const work = useTaskRun()
  const problem =
    size === null
      ? NO_SIZE
      : size < disk.sizeBytes
        ? `It has ${formatSize(disk.sizeBytes)}, and cannot be made smaller: what lies beyond would be lost.`
        : size === disk.sizeBytes
          ? 'That is its size already.'
          : null
  const run = async (): Promise<void> => {
    const done = await work.run('disk.resize', { machine: machine.id, disk: disk.id, size: size ?? disk.sizeBytes })
    if (!done) return
    closeOverlay()
    toast(`${disk.id} of ${machine.name} has ${formatSize(done.disk.sizeBytes)} now.`, { tone: 'good' })
  }
  return (
    <TaskDialog
      title={`Resize ${disk.id} of ${machine.name}`}
      description={`It has ${formatSize(disk.sizeBytes)}. It takes more space on the host only when the guest writes there.`}
      verb="Resize"
      blocked={problem}
      work={work}
      subject={machine.name}
      onRun={() => void run()}
      width={440}
    >
      <Field label="New size" error={problem}>
        <SizeInput value={size} onChange={setSize} label="New size" />
      </Field>
      <Sentence>
        {view.inUse ? 'The running guest sees it at once. ' : ''}Partitions and file systems in it keep their size until they are made
        larger in the guest.
      </Sentence>
    </TaskDialog>
  )
}

/** Of a guest that runs: it has to let go of the disk. */
const LetGo = ({ name, force, onForce }: { name: string; force: boolean; onForce: (force: boolean) => void }) => (
  <>
    <Banner tone="warning">{name} runs: unmount what is on the disk in the guest first. It is asked to let go of it, and may refuse.</Banner>
    <Checkbox
      checked={force}
      onChange={onForce}
      label="Take it even if it is mounted"
      note="What the guest has not written to it yet is lost. Otherwise it stays, if the guest’s agent says that it is mounted."
    />
  </>
)

/** Off the machine, into the library. */
export function DetachDialog({ machine, view }: DiskDialogProps) {
  const { disk } = view
  const [name, setName] = useState('')
  const [force, setForce] = useState(false)
  const work = useTaskRun()
  const problem = wrongOptionalName(name)
  const run = async (): Promise<void> => {
    const image = await work.run('disk.detach', { machine: machine.id, disk: disk.id, ...(name === '' ? {} : { name }), ...(force ? { force } : {}) })
    if (!image) return
    closeOverlay()
    toast(`${disk.id} is kept as the image “${image.name}”.`, {
      tone: 'good',
      actions: [{ label: 'Images', run: () => goTo({ kind: 'images' }) }]
    })
  }
  return (
    <TaskDialog
      title={`Detach ${disk.id} of ${machine.name}`}
      description="Takes the disk from the machine and keeps what it holds now as an image of the library."
      verb="Detach"
      blocked={problem}
      work={work}
      subject={machine.name}
      onRun={() => void run()}
      width={480}
    >
      <Field label="Name in the library" hint={`Left empty: ${machine.name} ${disk.id}.`} error={problem}>
        <TextInput autoFocus value={name} onChange={setName} />
      </Field>
      <Sentence>The image is one file that stands on nothing. The disk’s layers and its history go.</Sentence>
      {view.inUse && <LetGo name={machine.name} force={force} onForce={setForce} />}
    </TaskDialog>
  )
}

/** Deleted. */
export function RemoveDialog({ machine, view }: DiskDialogProps) {
  const { disk } = view
  const [sure, setSure] = useState(false)
  const [force, setForce] = useState(false)
  const work = useTaskRun()
  const total = [...view.files, ...view.undone].reduce((sum, file) => sum + (file.of.kind === 'layer' ? file.fileSizeBytes : 0), 0)
  const run = async (): Promise<void> => {
    const done = await work.run('disk.remove', { machine: machine.id, disk: disk.id, ...(force ? { force } : {}) })
    if (!done) return
    closeOverlay()
    toast(`${disk.id} of ${machine.name} is deleted; ${formatSize(done.freedBytes)} given back.`)
  }
  return (
    <TaskDialog
      title={`Remove ${disk.id} of ${machine.name} for good?`}
      verb="Remove for good"
      danger
      blocked={sure ? null : 'Tick the box first.'}
      work={work}
      subject={machine.name}
      onRun={() => void run()}
      width={480}
    >
      <Checkbox
        checked={sure}
        onChange={setSure}
        label={`Delete all that is on ${disk.id}: ${formatSize(total)}, with its history`}
        note="It does not go to the trash and cannot be brought back. To keep what it holds, detach it instead."
      />
      {view.inUse && <LetGo name={machine.name} force={force} onForce={setForce} />}
    </TaskDialog>
  )
}
