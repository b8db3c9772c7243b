import { useEffect, useState, type ReactNode } from 'react'
import { Share2 } from 'lucide-react'
import type { AppError, DiskContent, Machine, Share, ShareMode } from '#contract'
import { Button, Checkbox, CopyLine, Dialog, EmptyState, ErrorNotice, Field, formatSize, Select } from '#ui'
import { call, callTask, closeOverlay, copyText, goTo, hasEnded, runCommand, toast, useMachines, useShares, useTasks } from '../../app'
import { TaskProgress } from '../tasks'
import { ModeChoice } from './mode-choice'
import { badFolder, damagedByWriters, MODES, MOUNT_LINE, setsUpCluster, whenItGets, whyNotTo, WRITE_THROUGH } from './words'
import styles from './shares.module.css'

interface Choice {
  machine: Machine
  disk: string
}

/** A disk, and the machines that are to get it too. */
export function ShareDialog({ machine, disk, to }: { machine: string | null; disk: string | null; to: string | null }) {
  const machines = Object.values(useMachines((state) => state.byId)).sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }))
  const choices = machines.flatMap((one) => (one.definition?.disks ?? []).map((own) => ({ machine: one, disk: own.id, label: `${own.id} of ${one.name}, ${formatSize(own.sizeBytes)}` })))
  const [picked, setPicked] = useState(() => {
    const given = choices.find((one) => one.machine.id === machine && (disk === null || one.disk === disk)) ?? choices[0]
    return given ? keyOf(given) : ''
  })
  const choice = choices.find((one) => keyOf(one) === picked)
  if (!choice) return <NothingToShare />
  const options = choices.map((one) => ({ value: keyOf(one), label: one.label }))
  return <Chosen choice={choice} machines={machines} given={to} picker={disk === null ? <DiskField value={picked} options={options} onChange={setPicked} /> : null} />
}

const keyOf = ({ machine, disk }: Choice): string => `${machine.id} ${disk}`

const DiskField = (props: { value: string; options: { value: string; label: string }[]; onChange: (value: string) => void }) => (
  <Field label="Disk">
    <Select label="Disk" {...props} />
  </Field>
)

function Chosen({ choice, machines, given, picker }: { choice: Choice; machines: Machine[]; given: string | null; picker: ReactNode }) {
  const { machine, disk } = choice
  const share = useShares((state) => Object.values(state.byId).find((one) => one.machineId === machine.id && one.disk === disk))
  const others = machines.filter((one) => one.id !== machine.id)
  const [to, setTo] = useState<readonly string[]>(given === null ? [] : [given])
  const chosen = others.filter((one) => to.includes(one.id) && whyNotTo(one, machine.id, share) === null)
  const [mode, setMode] = useState<ShareMode>('ro')
  // Said of this disk, and of no other that is chosen afterwards.
  const [forced, setForced] = useState<string | null>(null)
  const force = forced === keyOf(choice)
  const [folder, setFolder] = useState('/shared')
  const [waits, setWaits] = useState(false)
  const [writeThrough, setWriteThrough] = useState(false)
  const contents = useContents(`${machine.name}:${disk}`)
  const damaged = share || mode !== 'cluster' || !contents ? null : damagedByWriters(contents)
  const mounts = share ? share.cluster !== null : mode === 'cluster' && contents !== null && setsUpCluster(contents)
  const wrong = damaged !== null && !force ? 'Choose another mode, or confirm the damage.' : mounts && !share ? badFolder(folder) : null
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<AppError | null>(null)
  const running = useTasks((state) => (busy ? Object.values(state.byId).find((task) => task.operation === 'share.create' && !hasEnded(task)) : undefined))
  const start = async (): Promise<void> => {
    setBusy(true)
    setError(null)
    const failed = await give(share, { ...choice, mode, force, mount: folder, nextStart: waits, writeThrough: writeThrough && mode !== 'ro' }, chosen)
    setBusy(false)
    if (failed) return setError(failed)
    closeOverlay()
    toast(`${disk} of ${machine.name} is shared.`, { tone: 'good', actions: [{ label: 'Shares', run: () => goTo({ kind: 'shares' }) }] })
  }
  return (
    <Dialog
      title={picker ? 'Share a disk' : `Share ${disk} of ${machine.name}`}
      description={busy ? 'You can hide this: it goes on, and the task list shows how far it is.' : share ? `It is shared: ${MODES[share.mode]}.` : 'Other machines get it while its own goes on using it. Nothing is copied.'}
      onClose={closeOverlay}
      width={560}
      footer={
        <>
          <Button onClick={closeOverlay}>{busy ? 'Hide' : 'Cancel'}</Button>
          <Button variant="primary" busy={busy} blocked={chosen.length === 0 ? 'Choose a machine that is to get it.' : wrong} onClick={() => void start()}>
            Share
          </Button>
        </>
      }
    >
      {error && <ErrorNotice error={error} onCopy={copyText} />}
      {busy ? (
        running && <TaskProgress task={running} />
      ) : (
        <>
          {picker}
          <fieldset className={styles.with}>
            <legend>With</legend>
            <div className={styles.targets}>
              {others.map((one) => (
                <Target key={one.id} machine={one} owner={machine.id} share={share} checked={chosen.includes(one)} onChange={(on) => setTo(on ? [...to, one.id] : to.filter((id) => id !== one.id))} />
              ))}
              {others.length === 0 && <p className={styles.quiet}>There is no other machine yet.</p>}
            </div>
            {chosen.some((one) => whenItGets(one).slower) && <Checkbox checked={waits} onChange={setWaits} label="Not over NBD: who would get it so waits for its next start" />}
          </fieldset>
          {!share && <ModeChoice machine={machine.name} mode={mode} onChange={setMode} contents={contents} damaged={damaged} force={force} onForce={(on) => setForced(on ? keyOf(choice) : null)} folder={folder} onFolder={setFolder} />}
          {!share && mode !== 'ro' && <Checkbox checked={writeThrough} onChange={setWriteThrough} label={WRITE_THROUGH.label} note={WRITE_THROUGH.note} />}
          {mounts ? (
            share?.cluster && <p className={styles.help}>Each gets it mounted on {share.cluster.folder}, beside the others.</p>
          ) : (
            <section className={styles.help}>
              <p>
                Under Shares, “Open” mounts it in a guest and says where. By hand: it is one more virtio disk there, usually the last one, and who reads mounts it read-only. A guest keeps what it has read; “Refresh readers” lets it see what was written since.
              </p>
              <CopyLine text={MOUNT_LINE} onCopy={copyText} />
            </section>
          )}
        </>
      )}
    </Dialog>
  )
}

/** What lies on the disk; null until it is known, or when it cannot be told. */
function useContents(disk: string): DiskContent[] | null {
  const [known, setKnown] = useState<{ disk: string; contents: DiskContent[] } | null>(null)
  useEffect(() => {
    let wanted = true
    void call('share.contents', { disk }).then((result) => {
      if (wanted && result.ok) setKnown({ disk, contents: result.value })
    })
    return () => {
      wanted = false
    }
  }, [disk])
  return known?.disk === disk ? known.contents : null
}

function Target(props: { machine: Machine; owner: string; share: Share | undefined; checked: boolean; onChange: (on: boolean) => void }) {
  const { machine, owner, share, checked, onChange } = props
  return <Checkbox checked={checked} onChange={onChange} label={machine.name} note={whenItGets(machine).note} blocked={whyNotTo(machine, owner, share)} />
}

interface Giving extends Choice {
  mode: ShareMode
  force: boolean
  /** Of a cluster file system. */
  mount: string
  /** Who would get it over NBD waits for its next start. */
  nextStart: boolean
  writeThrough: boolean
}

/** A new share goes to all at once; to one that there is, one machine after the other is added. */
async function give(share: Share | undefined, { machine, disk, mode, force, mount, nextStart, writeThrough }: Giving, to: readonly Machine[]): Promise<AppError | null> {
  if (!share) {
    const result = await callTask('share.create', { disk: `${machine.name}:${disk}`, to: to.map(({ id }) => id), nextStart, mode, force, mount, writeThrough })
    return result.ok ? null : result.error
  }
  for (const one of to) {
    const result = await callTask('share.attach', { share: share.id, machine: one.id, nextStart })
    if (!result.ok) return result.error
  }
  return null
}

const NothingToShare = () => (
  <Dialog title="Share a disk" onClose={closeOverlay} footer={<Button onClick={closeOverlay}>Close</Button>}>
    <EmptyState icon={Share2} title="No disk to share" actions={<Button onClick={() => runCommand('machine.create')}>New machine…</Button>}>
      A machine has to have a disk first.
    </EmptyState>
  </Dialog>
)
