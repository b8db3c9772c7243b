import { useState, type ReactNode } from 'react'
import { EllipsisVertical, HardDrive, Layers, Plus, ScanEye } from 'lucide-react'
import type { DiskView, ImageFile, Machine } from '#contract'
import { Banner, Button, cx, EmptyState, ErrorNotice, formatSize, IconButton, Menu, Segments, type MenuItems } from '#ui'
import { copyText, DISK_DRAG, keysOf, openOverlay, useImages, type DiskAction } from '../../../app'
import { RunningTasks } from '../../tasks'
import { whyNotDisk } from '../allowed'
import { chooseDisk, chosenDisk, useDiskChoice } from '../choice'
import { useLive } from '../live'
import { changedLayer, titleOfFile } from '../words'
import { Chain } from './chain'
import { DiskMapView } from './disk-map'
import { Facts } from './facts'
import { Budget } from './budget'
import { TimeLine } from './time-line'
import { pulsesOf, Pulses, useXray, whyNoXray } from '../xray/use-xray'
import { XrayPanel } from '../xray/xray-panel'
import styles from './disks-tab.module.css'

/** A guest's writes show as growing layers; often enough to see, seldom enough not to matter. */
const POLL_MS = 4000

/** A machine's disks, one at a time: what stands on what, what the guest writes to, what can be undone. */
export function DisksTab({ machine }: { machine: Machine }) {
  const byMachine = useDiskChoice((state) => state.byMachine)
  const id = chosenDisk(machine, byMachine)
  const { value, error } = useLive(
    'disk.show',
    id === undefined ? null : { machine: machine.id, disk: id },
    'pid' in machine.state ? POLL_MS : null
  )
  const [lookedInto, setLookedInto] = useState<string | null>(null)
  const xrayed = lookedInto === machine.id && whyNoXray(machine) === null
  if (lookedInto !== null && !xrayed) setLookedInto(null) // it ends with the machine, and with looking at another
  if (!machine.definition) return null
  if (id === undefined) return <NoDisks machine={machine} />
  const disk = machine.definition.disks.find((one) => one.id === id)
  return (
    <div className={styles.tab}>
      <header className={styles.bar}>
        <DiskSwitch machine={machine} chosen={id} />
        <Actions machine={machine} disk={disk} xrayed={xrayed} onXray={() => setLookedInto(xrayed ? null : machine.id)} />
      </header>
      <RunningTasks
        of={(task) => task.subject === machine.name && /^(disk|overlay)\./.test(task.operation) && task.title.includes(id)}
        framed
      />
      {error && <ErrorNotice error={error} onCopy={copyText} />}
      {value && <DiskPage key={`${value.machineId} ${value.disk.id}`} machine={machine} view={value} xrayed={xrayed} />}
    </div>
  )
}

/** Which disk; a disk more. */
function DiskSwitch({ machine, chosen }: { machine: Machine; chosen: string }) {
  const disks = machine.definition?.disks ?? []
  return (
    <div className={styles.disks}>
      <Segments
        label="Disk"
        value={chosen}
        options={disks.map((disk) => ({
          value: disk.id,
          label: disk.id,
          note: formatSize(disk.sizeBytes),
          carries: [DISK_DRAG, `${machine.id} ${disk.id}`]
        }))}
        onChange={(id) => chooseDisk(machine.id, id)}
      />
      <IconButton
        icon={Plus}
        label="Add a disk"
        blocked={whyNotDisk('add', machine, undefined)}
        onClick={() => openOverlay({ kind: 'disk', action: 'add', machine: machine.id, disk: '' })}
      />
    </div>
  )
}

const ALWAYS: readonly (readonly [DiskAction, string])[] = [
  ['renew', 'Renew…'],
  ['commit', 'Commit…'],
  ['undo', 'Undo…']
]
const MORE: readonly (readonly [DiskAction, string] | null)[] = [
  ['redo', 'Redo…'],
  ['discard', 'Discard what was written…'],
  null,
  ['overlay', 'Put an overlay on it…'],
  ['merge', 'Merge layers…'],
  ['flatten', 'Flatten…'],
  ['rebase', 'Stand on another image…'],
  null,
  ['resize', 'Resize…'],
  ['check', 'Check and repair…'],
  ['clone', 'Clone for another machine…'],
  ['export', 'Export to a file…'],
  null,
  ['detach', 'Detach, and keep it as an image…'],
  ['remove', 'Remove for good…']
]

/** What can be done to a disk: the three that are this screen's purpose, and a menu with the rest. */
interface ActionsProps {
  machine: Machine
  disk: DiskView['disk'] | undefined
  xrayed: boolean
  onXray: () => void
}

function Actions({ machine, disk, xrayed, onXray }: ActionsProps) {
  const open = (action: DiskAction) => () => openOverlay({ kind: 'disk', action, machine: machine.id, disk: disk?.id ?? '' })
  const items: MenuItems[number][] = MORE.map(
    (entry) =>
      entry && {
        id: entry[0],
        label: entry[1],
        keys: keysOf(`disk.${entry[0]}`),
        danger: entry[0] === 'remove',
        blocked: whyNotDisk(entry[0], machine, disk),
        onSelect: open(entry[0])
      }
  )
  const share = (): void => openOverlay({ kind: 'share', machine: machine.id, disk: disk?.id ?? null })
  items.unshift({ id: 'share', label: 'Share with other machines…', blocked: disk ? null : `${machine.name} has no disk.`, onSelect: share }, null)
  return (
    <div className={styles.actions}>
      <Button
        icon={ScanEye}
        aria-pressed={xrayed}
        data-xray
        className={cx(xrayed && styles.pressed)}
        hint="See live what QEMU reads and writes in each layer"
        blocked={whyNoXray(machine)}
        onClick={onXray}
      >
        X-ray
      </Button>
      {ALWAYS.map(([action, label]) => (
        <Button key={action} blocked={whyNotDisk(action, machine, disk)} keys={keysOf(`disk.${action}`)} onClick={open(action)}>
          {label}
        </Button>
      ))}
      <Menu trigger={<IconButton icon={EllipsisVertical} label="More that can be done to the disk" variant="plain" />} items={items} />
    </div>
  )
}

function DiskPage({ machine, view, xrayed }: { machine: Machine; view: DiskView; xrayed: boolean }) {
  const { trace, error } = useXray(machine.id, xrayed)
  const images = useImages((state) => state.byId)
  const [picked, setPicked] = useState<string | null>(null)
  const files = [...view.files, ...view.undone]
  const file = files.find((one) => one.path === picked) ?? files[0]
  const choose = (action: 'undo' | 'redo', sequence: number): void =>
    openOverlay({ kind: 'disk', action, machine: machine.id, disk: view.disk.id, sequence })
  return (
    <>
      <Unwell machine={machine} view={view} />
      <div className={styles.columns}>
        <div className={styles.main}>
          <Pulses value={trace && pulsesOf(trace)}>
            <Chain machine={machine} view={view} selected={file?.path ?? ''} onSelect={setPicked} />
          </Pulses>
          {error && <ErrorNotice error={error} onCopy={copyText} />}
          {xrayed && !error && <XrayPanel view={view} trace={trace} />}
          <DiskMapView machine={machine} view={view} />
        </div>
        <aside className={styles.side} aria-label="History and facts">
          <section>
            <h2>History</h2>
            <TimeLine view={view} onChoose={({ sequence, state }) => choose(state === 'undone' ? 'redo' : 'undo', sequence)} />
            <Budget view={view} />
          </section>
          {file && (
            <section>
              <h2>{titleOfFile(file, images)}</h2>
              <Facts file={file} images={images} />
            </section>
          )}
        </aside>
      </div>
    </>
  )
}

/** A file is not where it was, or not as it was: the disk cannot be used until that is put right. */
function Unwell({ machine, view }: { machine: Machine; view: DiskView }) {
  const images = useImages((state) => state.byId)
  const lost = view.files.filter((file) => file.health.kind === 'missing')
  const changed = view.files.filter((file) => file.health.kind === 'changed')
  const titles = (files: readonly ImageFile[]): string => files.map((file) => titleOfFile(file, images)).join(', ')
  const find = (): void => openOverlay({ kind: 'disk', action: 'find', machine: machine.id, disk: view.disk.id })
  if (lost.length > 0) {
    const one = lost.length === 1
    return (
      <Trouble verb="Find it…" onPut={find}>
        {titles(lost)} {one ? 'is' : 'are'} not where {one ? 'it was' : 'they were'}: {machine.name} cannot start until {one ? 'it is' : 'they are'} found.
      </Trouble>
    )
  }
  const unread = view.files.find(({ health }) => health.kind === 'damaged' || health.kind === 'unreadable')
  if (unread && 'message' in unread.health) {
    return (
      <Trouble>
        {titles([unread])} cannot be used, and {machine.name} cannot start until that is put right. {unread.health.message}
      </Trouble>
    )
  }
  if (changed.length === 0) return null
  const layer = changedLayer(view)
  return (
    <Trouble verb="Take it as it is…" onPut={layer ? find : null}>
      {titles(changed)} {changed.length === 1 ? 'was' : 'were'} changed by somebody else: {machine.name} cannot start, as its guest might find a damaged disk. Put the
      old file back{layer && '; where that was done and only its time is another, take it as it is'}.
    </Trouble>
  )
}

const Trouble = ({ verb, onPut, children }: { verb?: string; onPut?: (() => void) | null; children: ReactNode }) => (
  <Banner
    tone="error"
    actions={
      onPut && (
        <Button size="small" onClick={onPut}>
          {verb}
        </Button>
      )
    }
  >
    {children}
  </Banner>
)

const NoDisks = ({ machine }: { machine: Machine }) => (
  <EmptyState
    icon={HardDrive}
    title={`${machine.name} has no disk`}
    actions={
      <Button
        icon={Layers}
        blocked={whyNotDisk('add', machine, undefined)}
        onClick={() => openOverlay({ kind: 'disk', action: 'add', machine: machine.id, disk: '' })}
      >
        Add a disk…
      </Button>
    }
  >
    An empty one, one that stands on an image of the library, or a copy of an image file.
  </EmptyState>
)
