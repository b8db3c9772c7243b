import { closeOverlay, toast, useImages } from '../../../app'
import { fileName, titleOfFile } from '../words'
import type { DiskDialogProps } from './dialogs'
import { FindFileDialog } from './frame'

/** Where a file is now that a disk stands on and that is not where it was. */
export function FindDialog({ machine, view }: DiskDialogProps) {
  const images = useImages((state) => state.byId)
  const { disk } = view
  const lost = [...view.files, ...view.undone].find((file) => file.health.kind === 'missing')
  const title = lost ? titleOfFile(lost, images) : null
  return (
    <FindFileDialog
      title={title}
      description={
        lost ? `${disk.id} of ${machine.name} stands on ${fileName(lost.path)}, which is not where it was.` : 'Every file of this disk is where it belongs.'
      }
      was={lost?.path ?? ''}
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
