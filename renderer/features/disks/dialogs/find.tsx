import { useState } from 'react'
import { Button, Checkbox, Field, TextInput } from '#ui'
import { closeOverlay, shell, toast, useImages } from '../../../app'
import { fileName, titleOfFile } from '../words'
import type { DiskDialogProps } from './dialogs'
import { Sentence, TaskDialog, useTaskRun } from './frame'
import styles from './dialogs.module.css'

/** Where a file is now that a disk stands on and that is not where it was. */
export function FindDialog({ machine, view }: DiskDialogProps) {
  const images = useImages((state) => state.byId)
  const [path, setPath] = useState('')
  const [unchecked, setUnchecked] = useState(false)
  const work = useTaskRun()
  const { disk } = view
  const lost = [...view.files, ...view.undone].find((file) => file.health.kind === 'missing')
  const isImage = lost?.of.kind === 'image'
  // A layer that the guest wrote to last is recorded nowhere; anything else may turn out to be a copy of which nobody can say whether it is one.
  const compared = lost?.of.kind !== 'layer' || lost.of.layer.frozen !== null
  const unsure = !compared || work.error?.code === 'wrong-state'
  const title = lost ? titleOfFile(lost, images) : ''

  const choose = async (): Promise<void> => {
    const chosen = await shell().chooseFile({ title: lost ? `Where ${fileName(lost.path)} is now` : 'The file' })
    if (chosen !== null) setPath(chosen)
  }
  const run = async (): Promise<void> => {
    if (!(await work.run('disk.find', { machine: machine.id, disk: disk.id, path, unchecked }))) return
    closeOverlay()
    toast(`${title} of ${disk.id} of ${machine.name} is there again.`, { tone: 'good' })
  }
  return (
    <TaskDialog
      title={lost ? `Find ${title}` : 'Find a file'}
      description={lost ? `${disk.id} of ${machine.name} stands on ${fileName(lost.path)}, which is not where it was.` : 'Every file of this disk is where it belongs.'}
      verb="Use this file"
      blocked={!lost ? 'Nothing is missing.' : path === '' ? 'Say where the file is now.' : !compared && !unchecked ? 'Say that it may be taken unchecked.' : null}
      work={work}
      subject={machine.name}
      onRun={() => void run()}
      width={520}
    >
      {lost && (
        <>
          <Sentence>
            It was <code data-selectable>{lost.path}</code>.
          </Sentence>
          <Field label="Where it is now">
            <span className={styles.file}>
              <TextInput value={path} mono onChange={setPath} />
              <Button onClick={() => void choose()}>Choose…</Button>
            </span>
          </Field>
          <Sentence>
            {compared
              ? 'It is compared with what is recorded of it: only the very file will do, as the layers above it hold nothing but what differs from it.'
              : 'The guest wrote to this layer last, so nothing is recorded that it could be compared with; only its format and size are.'}{' '}
            {isImage ? 'Every machine that stands on the image uses it then.' : 'It is copied back to where it belongs.'}
          </Sentence>
          {unsure && (
            <Checkbox checked={unchecked} onChange={setUnchecked} label="I am sure that it is this file" note="Another one would show the guest a damaged disk." />
          )}
        </>
      )}
    </TaskDialog>
  )
}
