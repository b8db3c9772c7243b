import { useState } from 'react'
import type { DiskView, ImageFile } from '#contract'
import { Banner, Checkbox } from '#ui'
import { closeOverlay, toast, useImages } from '../../../app'
import { changedLayer, fileName, titleOfFile } from '../words'
import type { DiskDialogProps } from './dialogs'
import { FindFileDialog, Sentence, TaskDialog, useTaskRun } from './frame'

/** A file that a disk stands on and that is not where it was, or not as it was. */
export function FindDialog(props: DiskDialogProps) {
  const { view } = props
  const lost = missingFile(view)
  const changed = changedLayer(view)
  return !lost && changed ? <TakeAsItIsDialog {...props} file={changed} /> : <MissingDialog {...props} lost={lost} />
}

const missingFile = ({ files, undone }: DiskView): ImageFile | undefined => [...files, ...undone].find((file) => file.health.kind === 'missing')

/** Where it is now. */
function MissingDialog({ machine, view, lost }: DiskDialogProps & { lost: ImageFile | undefined }) {
  const images = useImages((state) => state.byId)
  const { disk } = view
  const title = lost ? titleOfFile(lost, images) : null
  return (
    <FindFileDialog
      title={title}
      description={
        lost ? `${disk.id} of ${machine.name} stands on ${fileName(lost.path)}, which is not where it was.` : 'Every file of this disk is where it belongs.'
      }
      was={lost?.path ?? ''}
      foundAt={lost && lost.health.kind !== 'ok' ? lost.health.foundAt : undefined}
      // A layer that the guest wrote to last is recorded nowhere.
      compared={lost?.of.kind !== 'layer' || lost.of.layer.frozen !== null}
      then={lost?.of.kind === 'image' ? 'Every machine that stands on the image uses it then.' : 'It is copied back to where it belongs.'}
      subject={machine.name}
      onFind={async (work, path, unchecked) => {
        if (!(await work.run('disk.find', { machine: machine.id, disk: disk.id, path, unchecked }))) return
        closeOverlay()
        toast(`${title} of ${disk.id} of ${machine.name} is there again.`, { tone: 'good' })
      }}
    />
  )
}

/** A layer that is where it belongs and has another time than recorded, such as of a backup that was put back. */
function TakeAsItIsDialog({ machine, view, file }: DiskDialogProps & { file: ImageFile }) {
  const images = useImages((state) => state.byId)
  const [sure, setSure] = useState(false)
  const work = useTaskRun()
  const { disk } = view
  const title = titleOfFile(file, images)
  const run = async (): Promise<void> => {
    if (!(await work.run('disk.find', { machine: machine.id, disk: disk.id, path: file.path, unchecked: true }))) return
    closeOverlay()
    toast(`${title} of ${disk.id} of ${machine.name} is taken as it is now.`, { tone: 'good' })
  }
  return (
    <TaskDialog
      title={`Take ${title} as it is?`}
      description={`${disk.id} of ${machine.name} stands on ${fileName(file.path)}, which is not as it was when layers were put on it.`}
      verb="Take it as it is"
      danger
      blocked={view.inUse ? `Stop ${machine.name} first: its QEMU has the disk open.` : sure ? null : 'Say that it is sure.'}
      work={work}
      subject={machine.name}
      onRun={() => void run()}
      width={520}
    >
      <Sentence>
        Where the very same file was put back, as from a backup, only its time is another, and it can be taken as it is. Its size, header and tables are compared
        with what is recorded of them; what lies in its clusters is not, and nobody but you can say that it is the same.
      </Sentence>
      <Banner tone="warning">If something else wrote to it, the layers above it no longer fit, and the guest finds a damaged disk.</Banner>
      <Checkbox checked={sure} onChange={setSure} label="I am sure that nothing in it is changed" />
    </TaskDialog>
  )
}
