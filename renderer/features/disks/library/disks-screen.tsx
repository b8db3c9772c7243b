import { useState } from 'react'
import { Layers } from 'lucide-react'
import type { Image, ImageFile } from '#contract'
import { Banner, Button, EmptyState, ErrorNotice, formatCount, formatSize, SearchField, Segments } from '#ui'
import { copyText, createPersisted, runCommand, useImages } from '../../../app'
import { useLive } from '../live'
import { titleOfFile } from '../words'
import { landscapeOf, unwell, type Site } from './landscape'
import { SiteView } from './site'
import { FilesTable, showFile } from './files-table'
import styles from './library.module.css'

/** Sizes change while guests write: looked at now and then. */
const POLL_MS = 15_000
const VIEWS = [
  { value: 'drawing', label: 'Drawing' },
  { value: 'table', label: 'Table' }
] as const
type View = (typeof VIEWS)[number]['value']
const useView = createPersisted<{ view: View }>('disks-view', { view: 'drawing' }, ({ view }) => VIEWS.some((one) => one.value === view))

/** Every image file of the library, drawn by what stands on what, or as a table. */
export function DisksScreen() {
  const { value, error } = useLive('disk.list', {}, POLL_MS)
  const { view } = useView()
  const [filter, setFilter] = useState('')
  return (
    <section className={styles.screen} aria-label="Disks">
      <header className={styles.head}>
        <h1>Disks</h1>
        {value && <p className={styles.sum}>{sumOf(value)}</p>}
        <SearchField label="Filter" value={filter} onChange={setFilter} />
        <Segments label="How they are shown" value={view} options={VIEWS} onChange={(next) => useView.setState({ view: next })} />
      </header>
      {error && <ErrorNotice error={error} onCopy={copyText} />}
      {value && <Unwell files={value} />}
      {value?.length === 0 && (
        <EmptyState icon={Layers} title="No disks yet" actions={<Button onClick={() => runCommand('machine.create')}>New machine…</Button>}>
          A machine’s disk stands on an image, or on nothing. Both are drawn here, with all that stands on them.
        </EmptyState>
      )}
      {value &&
        value.length > 0 &&
        (view === 'drawing' ? <Landscape sites={filtered(landscapeOf(value), filter)} /> : <FilesTable files={value} filter={filter} />)}
    </section>
  )
}

const sumOf = (files: readonly ImageFile[]): string =>
  `${formatCount(files.length, 'file')}, ${formatSize(files.reduce((sum, file) => sum + file.fileSizeBytes, 0))} on the host`

/** What a word finds: an image by its name with all that stands on it, or machines by theirs. */
function filtered(sites: readonly Site[], filter: string): Site[] {
  const wanted = filter.trim().toLowerCase()
  if (wanted === '') return [...sites]
  return sites.flatMap((site) => {
    const { ground } = site
    if (ground?.of.kind === 'image' && `${ground.of.name} ${ground.path}`.toLowerCase().includes(wanted)) return [site]
    const towers = site.towers.filter((tower) => `${tower.machine} ${tower.disk}`.toLowerCase().includes(wanted))
    return towers.length > 0 ? [{ ...site, towers }] : []
  })
}

function Landscape({ sites }: { sites: readonly Site[] }) {
  if (sites.length === 0) return <p className={styles.nothing}>Nothing fits.</p>
  return (
    <div className={styles.landscape}>
      {sites.map((site) => (
        <SiteView key={site.key} site={site} />
      ))}
    </div>
  )
}

/** A file so that one knows which is meant: every machine has a `disk0.qcow2`. */
const nameOf = (file: ImageFile, images: Readonly<Record<string, Image>>): string =>
  titleOfFile(file, images) + (file.of.kind === 'layer' ? ` of ${file.of.disk} of ${file.of.machine}` : '')

function Unwell({ files }: { files: readonly ImageFile[] }) {
  const images = useImages((state) => state.byId)
  const bad = unwell(files)
  if (bad.length === 0) return null
  return (
    <Banner
      tone="error"
      actions={
        <Button size="small" onClick={() => bad[0] && showFile(bad[0])}>
          Show it
        </Button>
      }
    >
      {bad.length === 1 ? 'A file is not as it should be: ' : `${formatCount(bad.length, 'file')} are not as they should be: `}
      {bad
        .slice(0, 5)
        .map((file) => nameOf(file, images))
        .join(', ')}
      {bad.length > 5 && ' and others'}.
    </Banner>
  )
}
