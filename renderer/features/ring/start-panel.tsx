import { useState } from 'react'
import { Play } from 'lucide-react'
import { Button, Field, formatSize, Select, type Option } from '#ui'
import { attempt, useImages } from '../../app'
import styles from './ring.module.css'

const MIB = 2 ** 20
const OWN = [64, 256] as const
const CACHES: readonly Option<string>[] = [
  { value: '1', label: '1 % of the image' },
  { value: '0.1', label: '0.1 % of the image' },
  { value: '0', label: 'No cache' }
]
const READS: readonly Option<'io_uring' | 'threads'>[] = [
  { value: 'io_uring', label: 'io_uring', note: 'many reads by one thread' },
  { value: 'threads', label: 'Threads', note: 'one thread a read, as older systems do' }
]
const SPINS: readonly Option<string>[] = [
  { value: '300', label: '300 µs', note: 'quick to answer, busy for longer' },
  { value: '0', label: 'Not at all', note: 'sleeps at once; each answer needs a wake-up' }
]

/** What the service is started with. */
export function StartPanel() {
  const images = useImages((state) => state.byId)
  const [image, setImage] = useState('own.64')
  const [cache, setCache] = useState('1')
  const [reads, setReads] = useState<'io_uring' | 'threads'>('io_uring')
  const [spin, setSpin] = useState('300')
  const [busy, setBusy] = useState(false)
  const choices: Option<string>[] = [
    ...OWN.map((mebibytes) => ({ value: `own.${mebibytes}`, label: `Random bytes, ${formatSize(mebibytes * MIB)}`, note: 'made for the lab' })),
    ...Object.values(images)
      .filter((one) => one.kind !== 'unknown')
      .map((one) => ({ value: one.path, label: one.name, note: `the bytes of its file, ${formatSize(one.fileSizeBytes)} on disk` }))
  ]
  const start = async (): Promise<void> => {
    setBusy(true)
    const from = image.startsWith('own.') ? { size: Number(image.slice(4)) * MIB } : { file: image }
    await attempt('ring.start', { ...from, cachePercent: Number(cache), threads: reads === 'threads', spinMicroseconds: Number(spin) })
    setBusy(false)
  }
  return (
    <form
      className={styles.panel}
      aria-label="Start the service"
      onSubmit={(event) => {
        event.preventDefault()
        void start()
      }}
    >
      <Field label="Image">
        <Select value={image} onChange={setImage} options={choices} />
      </Field>
      <Field label="Cache">
        <Select value={cache} onChange={setCache} options={CACHES} />
      </Field>
      <Field label="Reads the image by">
        <Select value={reads} onChange={setReads} options={READS} />
      </Field>
      <Field label="Looks for work, then sleeps">
        <Select value={spin} onChange={setSpin} options={SPINS} />
      </Field>
      <Button type="submit" variant="primary" icon={Play} busy={busy}>
        Start the service
      </Button>
    </form>
  )
}
