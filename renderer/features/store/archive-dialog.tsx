import { useState } from 'react'
import { Button, Dialog, Field, formatSize, Select, TextInput } from '#ui'
import { attemptTask, toast, useImages } from '../../app'
import { wrongOptionalName } from '../task-dialog'
import { freeTitle } from './titles'

/** Which image is archived, and as what. */
export function ArchiveDialog({ taken, onClose }: { taken: readonly string[]; onClose: () => void }) {
  const byId = useImages((state) => state.byId)
  const images = Object.values(byId).filter((image) => image.kind !== 'guest' && image.kind !== 'unknown')
  const usable = images.filter((image) => image.problem === undefined)
  const [chosen, setChosen] = useState((usable.find((image) => !taken.includes(image.name)) ?? usable[0])?.id ?? '')
  const [name, setName] = useState('')
  const [note, setNote] = useState('')
  const image = byId[chosen]
  const free = freeTitle(image?.name ?? '', taken)
  const problem = taken.includes(name) ? `“${name}” is in the store already: choose another name.` : wrongOptionalName(name)
  const start = async (): Promise<void> => {
    onClose()
    const archived = await attemptTask('store.archive', { image: chosen, note, name: name === '' ? free : name })
    if (archived.ok) toast(`“${archived.value.name}” is archived; ${formatSize(archived.value.ownBytes)} are its own.`, { tone: 'good' })
  }
  return (
    <Dialog
      title="Archive an image"
      description="The image stays as it is. What is stored already is not stored again."
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="primary" blocked={image ? problem : 'Choose an image.'} onClick={() => void start()}>
            Archive
          </Button>
        </>
      }
    >
      <Field label="Image">
        <Select
          label="Image"
          value={chosen}
          options={images.map((one) => ({ value: one.id, label: one.name, note: `${formatSize(one.fileSizeBytes)} on disk`, blocked: one.problem ?? null }))}
          onChange={setChosen}
        />
      </Field>
      <Field label="Name" error={problem}>
        <TextInput value={name} placeholder={free} onChange={setName} />
      </Field>
      <Field label="Note">
        <TextInput value={note} onChange={setNote} />
      </Field>
    </Dialog>
  )
}
