import { useState } from 'react'
import { Cloud, Disc, FileDown, HardDrive, PackageOpen, Square, type LucideIcon } from 'lucide-react'
import type { AppError, Image } from '#contract'
import { callTask, copyText, shell, useImages, useTasks } from '../../../app'
import { Button } from '../../../ui/button'
import { Field, FieldGroup } from '../../../ui/field'
import { formatSize } from '../../../ui/format'
import { TextInput } from '../../../ui/inputs'
import { ErrorNotice } from '../../../ui/notice'
import { ProgressBar } from '../../../ui/progress'
import { RadioCards, type RadioCard } from '../../../ui/toggles'
import { change, useNewMachine } from './draft'
import styles from './wizard.module.css'

const ICONS: Record<Image['kind'], LucideIcon> = { guest: PackageOpen, iso: Disc, disk: HardDrive, cloud: Cloud, unknown: HardDrive }
const KINDS: Record<Image['kind'], string> = {
  guest: 'built-in guest',
  iso: 'CD to install from',
  disk: 'disk image',
  cloud: 'cloud image',
  unknown: 'unknown'
}
const IMAGE_EXTENSIONS = ['iso', 'img', 'raw', 'qcow2', 'vmdk', 'vdi', 'vhdx', 'vhd']

/** Name, and what the machine is made from. */
export function SourceStep() {
  const { machine, host, problems } = useNewMachine()
  const images = useImages((state) => state.byId)
  const imports = useImport()
  const builtin = host && !host.builtinGuest.available ? host.builtinGuest.reason : null
  const cards: RadioCard<string>[] = [
    {
      value: 'builtin',
      label: 'Built-in guest',
      note: 'A small Linux that boots in seconds, with SSH and the guest agent.',
      blocked: builtin,
      icon: iconOf(PackageOpen)
    },
    ...Object.values(images)
      .filter((image) => image.kind !== 'guest')
      .sort((a, b) => b.addedAtMs - a.addedAtMs)
      .map((image) => ({
        value: image.id,
        label: image.name,
        note: `${KINDS[image.kind]}, ${image.format ?? 'no format'}, ${formatSize(image.virtualSizeBytes)}`,
        blocked: image.problem ?? null,
        icon: iconOf(ICONS[image.kind])
      })),
    { value: 'none', label: 'No image', note: 'An empty disk, for a system to be installed by other means.', icon: iconOf(Square) }
  ]
  return (
    <>
      <Field label="Name" error={problems.name}>
        <TextInput autoFocus value={machine.name} onChange={(name) => change({ name })} onFocus={(event) => event.target.select()} />
      </Field>
      <FieldGroup
        label="Made from"
        aside={
          <Button size="small" icon={FileDown} busy={imports.busy} onClick={() => void imports.begin()}>
            Import an image…
          </Button>
        }
      >
        {imports.error && <ErrorNotice error={imports.error} onCopy={copyText} />}
        {imports.busy && <ImportProgress />}
        <RadioCards label="Made from" value={machine.source} onChange={(source) => change({ source })} cards={cards} />
      </FieldGroup>
    </>
  )
}

const iconOf = (Icon: LucideIcon) => <Icon size={17} strokeWidth={1.75} aria-hidden />

/** Brings in an image without leaving the wizard; it is chosen when it is there. */
function useImport(): { begin: () => Promise<void>; busy: boolean; error: AppError | null } {
  const [error, setError] = useState<AppError | null>(null)
  const [busy, setBusy] = useState(false)
  const begin = async (): Promise<void> => {
    const path = await shell().chooseFile({ title: 'Disk image, cloud image or ISO', extensions: IMAGE_EXTENSIONS })
    if (path === null) return
    setBusy(true)
    setError(null)
    const imported = await callTask('image.import', { path })
    setBusy(false)
    if (imported.ok) change({ source: imported.value.id })
    else if (imported.error.code !== 'cancelled') setError(imported.error)
  }
  return { begin, busy, error }
}

function ImportProgress() {
  const running = useTasks((state) =>
    Object.values(state.byId).find((task) => task.operation === 'image.import' && task.state.kind === 'running')
  )
  return (
    <div className={styles.importing} role="status">
      <span>{running?.phase || 'importing'}</span>
      <ProgressBar ratio={running?.ratio ?? null} label="Importing the image" />
    </div>
  )
}
