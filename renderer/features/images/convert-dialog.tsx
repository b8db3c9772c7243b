import { useState } from 'react'
import type { Image } from '#contract'
import { Button, Dialog, Field, formatSize, RadioCards, TextInput } from '#ui'
import { attemptTask, toast } from '../../app'
import { wrongName } from '../task-dialog'

/** Why no image of another format can be made from it; null when one can. */
export function whyNotConverted(image: Image): string | null {
  if (image.problem !== undefined) return 'It cannot be used as it is.'
  if (image.kind === 'iso') return 'A CD has no other format.'
  return image.kind === 'guest' ? 'The built-in guest is more than its disk.' : null
}

/** An image of another format, beside the one that there is. */
export function ConvertDialog({ image, onClose }: { image: Image; onClose: () => void }) {
  const [format, setFormat] = useState<'raw' | 'qcow2'>(image.format === 'qcow2' ? 'raw' : 'qcow2')
  const [name, setName] = useState(`${image.name} ${format}`.slice(0, 64))
  const problem = wrongName(name)
  const convert = async (): Promise<void> => {
    onClose()
    const done = await attemptTask('disk.convert', { image: image.id, format, name })
    if (done.ok) toast(`“${done.value.name}” is in the library.`, { tone: 'good' })
  }
  return (
    <Dialog
      title={`Convert “${image.name}”`}
      description={`Makes a new image of another format. “${image.name}” stays as it is, for whoever stands on it.`}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="primary" blocked={problem} onClick={() => void convert()}>
            Convert
          </Button>
        </>
      }
    >
      <RadioCards
        label="Format"
        value={format}
        onChange={setFormat}
        cards={[
          { value: 'qcow2', label: 'qcow2', note: 'QEMU’s own: takes only what is written.' },
          { value: 'raw', label: 'raw', note: `The disk’s bytes as they are, ${formatSize(image.virtualSizeBytes)} with holes where nothing was written: for other programs.` }
        ]}
      />
      <Field label="Name" error={problem}>
        <TextInput value={name} onChange={setName} />
      </Field>
    </Dialog>
  )
}
