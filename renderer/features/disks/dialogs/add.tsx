import { useState } from 'react'
import type { Image, Machine } from '#contract'
import { Checkbox, Field, formatSize, RadioCards, Select, SizeInput } from '#ui'
import { closeOverlay, shell, toast, useImages } from '../../../app'
import { chooseDisk } from '../choice'
import { NO_SIZE, titleOfImage } from '../words'
import { pathMistake, PathField, TaskDialog, useTaskRun, withoutPathProblem } from './frame'

type How = 'empty' | 'image' | 'file'
const GIB = 2 ** 30

/** The images that a disk can stand on. */
export const diskImages = (images: Readonly<Record<string, Image>>): Image[] =>
  Object.values(images)
    .filter((image) => image.kind !== 'iso')
    .sort((a, b) => a.name.localeCompare(b.name))

/** Another disk for a machine; a running guest sees it at once. */
export function AddDialog({ machine }: { machine: Machine }) {
  const images = diskImages(useImages((state) => state.byId))
  const [how, setHow] = useState<How>('empty')
  const [size, setSize] = useState<number | null>(GIB)
  const [image, setImage] = useState(images[0]?.id ?? '')
  const [copy, setCopy] = useState(false)
  const [path, setPath] = useState('')
  const [raw, setRaw] = useState(false)
  const work = useTaskRun()
  const noSize = size === null || size <= 0 ? NO_SIZE : null
  const blocked =
    how === 'empty'
      ? noSize
      : how === 'file'
        ? path === ''
          ? 'Choose the file.'
          : pathMistake(path)
        : null

  const run = async (): Promise<void> => {
    const done =
      how === 'empty'
        ? await work.run('disk.create', { machine: machine.id, size: size ?? GIB })
        : how === 'image'
          ? await work.run('disk.attach', { machine: machine.id, image, copy })
          : await work.run('disk.import', { machine: machine.id, path, ...(raw ? { format: 'raw' as const } : {}) })
    if (!done) return
    chooseDisk(machine.id, done.disk.id)
    closeOverlay()
    toast(`${machine.name} has a disk ${done.disk.id} of ${formatSize(done.disk.sizeBytes)}.`, { tone: 'good' })
  }
  const chooseFile = (): Promise<string | null> =>
    shell().chooseFile({ title: 'A disk image', extensions: ['qcow2', 'img', 'raw', 'vmdk', 'vdi', 'vhdx'] })
  return (
    <TaskDialog
      title={`Add a disk to ${machine.name}`}
      description={'pid' in machine.state ? 'The running guest sees it at once.' : undefined}
      verb="Add"
      blocked={blocked}
      work={how === 'file' ? withoutPathProblem(work) : work}
      subject={machine.name}
      onRun={() => void run()}
      width={480}
    >
      <RadioCards
        label="What is on it"
        value={how}
        onChange={setHow}
        cards={[
          { value: 'empty', label: 'Nothing: an empty disk', note: 'It takes almost no space until the guest writes to it.' },
          {
            value: 'image',
            label: 'An image of the library',
            note: 'The disk stands on it; the image stays as it is.',
            blocked: images.length === 0 ? 'The library has no disk image yet.' : null
          },
          { value: 'file', label: 'A copy of an image file', note: 'raw, qcow2, vmdk, vdi or vhdx; the file can be deleted afterwards.' }
        ]}
      />
      {how === 'empty' && (
        <Field label="Size" error={noSize}>
          <SizeInput value={size} onChange={setSize} label="Size" />
        </Field>
      )}
      {how === 'image' && (
        <>
          <ImageField label="Image" images={images} value={image} onChange={setImage} />
          <Checkbox
            checked={copy}
            onChange={setCopy}
            label="Copy it whole"
            note="Takes its space and a while, but then stands on nothing."
          />
        </>
      )}
      {how === 'file' && (
        <>
          <PathField label="File" value={path} onChange={setPath} choose={chooseFile} work={work} />
          <Checkbox checked={raw} onChange={setRaw} label="It is raw" note="Where its first bytes look like another format." />
        </>
      )}
    </TaskDialog>
  )
}

/** One of the library’s disk images. */
export function ImageField({
  label,
  images,
  value,
  onChange,
  error
}: {
  label: string
  images: readonly Image[]
  value: string
  onChange: (id: string) => void
  /** Why the chosen one will not do. */
  error?: string | null
}) {
  return (
    <Field label={label} error={error}>
      <Select
        value={value}
        onChange={onChange}
        options={images.map((one) => ({
          value: one.id,
          label: titleOfImage(one, one.path),
          note: `${formatSize(one.virtualSizeBytes)}, ${one.format}`
        }))}
      />
    </Field>
  )
}
