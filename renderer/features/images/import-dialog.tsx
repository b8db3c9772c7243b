import { useState } from 'react'
import type { InputOf } from '#contract'
import { Button, Dialog, Field, RadioCards, Select, TextInput } from '#ui'
import { attemptTask, closeOverlay, goTo, toast } from '../../app'
import { wrongOptionalName } from '../task-dialog'

type Kind = NonNullable<InputOf<'image.import'>['kind']> | 'auto'
type Format = 'auto' | 'raw'
const KINDS = [
  { value: 'auto', label: 'Told from its content' },
  { value: 'iso', label: 'ISO: a CD to install from' },
  { value: 'disk', label: 'Disk image' },
  { value: 'cloud', label: 'Cloud image: reads a cloud-init seed' }
] as const
/** QEMU tells every format by its content, except that anything may be raw: only that has ever to be said. */
const FORMATS = [
  { value: 'auto', label: 'Told from its content' },
  { value: 'raw', label: 'raw: a disk’s bytes as they are' }
] as const

/** How a file is brought into the library. */
export function ImportDialog({ path }: { path: string }) {
  const [name, setName] = useState('')
  const [kind, setKind] = useState<Kind>('auto')
  const [format, setFormat] = useState<Format>('auto')
  const [how, setHow] = useState<'copy' | 'reference'>('copy')
  const problem = wrongOptionalName(name)
  const start = async (): Promise<void> => {
    closeOverlay()
    goTo({ kind: 'images' })
    const imported = await attemptTask('image.import', {
      path,
      reference: how === 'reference',
      ...(name === '' ? {} : { name }),
      ...(kind === 'auto' ? {} : { kind }),
      ...(format === 'auto' ? {} : { format })
    })
    if (imported.ok) toast(`“${imported.value.name}” is in the library.`, { tone: 'good' })
  }
  return (
    <Dialog
      title="Import an image"
      description={path}
      onClose={closeOverlay}
      footer={
        <>
          <Button onClick={closeOverlay}>Cancel</Button>
          <Button variant="primary" blocked={problem} onClick={() => void start()}>
            Import
          </Button>
        </>
      }
    >
      <Field label="Name" hint="Left empty: the name of the file." error={problem}>
        <TextInput value={name} autoFocus onChange={setName} />
      </Field>
      <Field label="Kind">
        <Select label="Kind" value={kind} options={KINDS} onChange={setKind} />
      </Field>
      <Field label="Format" hint="Say raw where a raw image is not recognised, or is taken for something else.">
        <Select label="Format" value={format} options={FORMATS} onChange={setFormat} />
      </Field>
      <RadioCards
        label="How"
        value={how}
        onChange={setHow}
        cards={[
          { value: 'copy', label: 'Copy it into the library', note: 'The file can be moved or deleted afterwards.' },
          {
            value: 'reference',
            label: 'Use it where it is',
            note: 'Takes no space. It must stay there, unchanged: machines stand on it. Strata never writes to it.'
          }
        ]}
      />
    </Dialog>
  )
}
