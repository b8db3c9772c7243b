import { useEffect, useState } from 'react'
import { GraduationCap } from 'lucide-react'
import { Name, NAME_RULE, type Lab, type Snapshot } from '#contract'
import { Banner, Button, Checkbox, ConfirmDialog, Dialog, EmptyState, Field, formatCount, formatSize, NumberInput, Select, TextInput } from '#ui'
import { allMachines, attemptTask, closeOverlay, goTo, toast, useLabs, useSnapshots, type LabOverlay } from '../../app'
import { Sentence, TaskDialog, useTaskRun } from '../task-dialog'

/** The dialogs about class labs: whichever is open. */
export function LabDialogs({ overlay }: { overlay: LabOverlay }) {
  const lab = useLabs((state) => (overlay.action === 'deploy' ? undefined : state.byId[overlay.lab]))
  if (overlay.action === 'deploy') return <DeployDialog chosen={overlay.snapshot} />
  if (!lab) return <Gone />
  switch (overlay.action) {
    case 'recreate':
      return <RecreateDialog lab={lab} machineId={overlay.machine} />
    case 'force-off':
      return <ForceOffDialog lab={lab} />
    case 'remove':
      return <RemoveDialog lab={lab} />
  }
}

/** What it is about was removed while it was open. */
function Gone() {
  useEffect(closeOverlay, [])
  return null
}

function DeployDialog({ chosen }: { chosen: string | null }) {
  const snapshots = useSnapshots((state) => state.byId)
  const usable = Object.values(snapshots)
    .filter((one) => one.problem === null)
    .sort((a, b) => b.takenAtMs - a.takenAtMs)
  const first = usable.find((one) => one.id === chosen) ?? usable[0]
  return first ? <Deploy snapshots={usable} first={first} /> : <NothingToDeploy />
}

const NothingToDeploy = () => (
  <Dialog title="New class lab" onClose={closeOverlay} footer={<Button onClick={closeOverlay}>Close</Button>}>
    <EmptyState icon={GraduationCap} title="No snapshot to make it from">Prepare a machine, and take a snapshot of it while it runs.</EmptyState>
  </Dialog>
)

/** Why a lab cannot be called so; its machines get their names from it. */
function prefixProblem(prefix: string, count: number): string | null {
  const wrong = Name.safeParse(prefix).success ? null : NAME_RULE
  if (wrong !== null) return wrong
  if (Object.values(useLabs.getState().byId).some((lab) => lab.name.toLowerCase() === prefix.toLowerCase())) return `There is a class lab ${prefix} already.`
  const wanted = new Set(Array.from({ length: count }, (_, i) => `${prefix}-${i + 1}`.toLowerCase()))
  const taken = allMachines().find((machine) => wanted.has(machine.name.toLowerCase()))
  return taken ? `There is a machine called ${taken.name} already.` : null
}

function Deploy({ snapshots, first }: { snapshots: readonly Snapshot[]; first: Snapshot }) {
  const [from, setFrom] = useState(first.id)
  const [prefix, setPrefix] = useState('ws')
  const [count, setCount] = useState<number | null>(8)
  const [start, setStart] = useState(true)
  const work = useTaskRun()
  const snapshot = snapshots.find((one) => one.id === from) ?? first
  const wrongCount = count === null || count < 1 || count > 64 ? 'Between 1 and 64 machines.' : null
  const wrongName = prefixProblem(prefix, count ?? 0)
  const live = snapshot.method !== null
  const run = async (): Promise<void> => {
    const done = await work.run('lab.deploy', { from, count: count ?? 1, prefix, start })
    if (!done) return
    closeOverlay()
    toast(`The class lab ${prefix} is there: ${formatCount(done.lab.machines.length, 'machine')}.`, { tone: 'good' })
    goTo({ kind: 'labs' })
  }
  return (
    <TaskDialog
      title="New class lab"
      description="A machine for everybody, all from the same instant. They share memory and disks until they change them."
      verb={start && live ? 'Make and start it' : 'Make it'}
      blocked={wrongCount ?? wrongName}
      work={work}
      subject={prefix}
      onRun={() => void run()}
      width={480}
    >
      <Field label="Made from">
        <Select label="Made from" value={from} onChange={setFrom} options={snapshots.map((one) => ({ value: one.id, label: `${one.name} (${one.machine})` }))} />
      </Field>
      <Field label="Name" hint={wrongName === null ? `Its machines are ${prefix}-1 to ${prefix}-${count ?? 1}.` : undefined} error={wrongName}>
        <TextInput autoFocus value={prefix} onChange={setPrefix} />
      </Field>
      <Field label="How many machines" error={wrongCount}>
        <NumberInput value={count} onChange={setCount} min={1} max={64} label="How many machines" />
      </Field>
      {live && <Checkbox checked={start} onChange={setStart} label="Let them run now" note={`Each sees ${formatSize(snapshot.memoryBytes)} of memory, and takes what it changes of that.`} />}
      <Sentence>
        {snapshot.was === 'running'
          ? 'Each gets another host name, machine id, network addresses, random numbers and the present time, through the guest agent.'
          : 'Each gets network addresses of its own.'}
      </Sentence>
    </TaskDialog>
  )
}

function RecreateDialog({ lab, machineId }: { lab: Lab; machineId: string | null }) {
  const work = useTaskRun()
  // As it was when that was asked: the machine is another one as soon as it is made anew.
  const [one] = useState(() => lab.machines.find((place) => place.machineId === machineId))
  const what = one ? one.name : `the ${formatCount(lab.machines.length, 'machine')} of ${lab.name}`
  const run = async (): Promise<void> => {
    const done = await work.run('lab.recreate', { lab: lab.id, ...(one ? { machine: one.machineId } : {}) })
    if (!done) return
    closeOverlay()
    toast(`${one ? `${one.name} is` : `The machines of ${lab.name} are`} as at “${lab.snapshot?.name ?? ''}” again.`, { tone: 'good' })
  }
  return (
    <TaskDialog title={`Make ${what} anew?`} verb="Make anew" danger work={work} subject={lab.name} onRun={() => void run()} width={460}>
      <Banner tone="warning">
        What was done in {one ? 'it' : 'them'} is lost: programs that run, and what was written to disks. There is no way back.
      </Banner>
      <Sentence>
        {one ? 'It goes' : 'They go'} on from “{lab.snapshot?.name ?? ''}” of {lab.snapshot?.machine ?? ''}, under {one ? 'its name' : 'their names'}.
      </Sentence>
    </TaskDialog>
  )
}

function ForceOffDialog({ lab }: { lab: Lab }) {
  const run = (): void => {
    closeOverlay()
    void attemptTask('lab.stop', { lab: lab.id, force: true })
  }
  return (
    <ConfirmDialog title={`Force all machines of ${lab.name} off?`} verb="Force off" danger onConfirm={run} onClose={closeOverlay}>
      <p>It is like pulling the plug: what the guests have not written to their disks is lost.</p>
    </ConfirmDialog>
  )
}

function RemoveDialog({ lab }: { lab: Lab }) {
  const run = async (): Promise<void> => {
    closeOverlay()
    const done = await attemptTask('lab.remove', { lab: lab.id })
    if (done.ok) toast(`The class lab ${done.value.removed} is removed.`, { note: 'Its machines are in the trash.' })
  }
  return (
    <ConfirmDialog title={`Remove the class lab ${lab.name}?`} verb="Remove" danger onConfirm={() => void run()} onClose={closeOverlay}>
      <p>
        Its {formatCount(lab.machines.length, 'machine')} are switched off at once and go to the trash. The snapshot that they were made from stays.
      </p>
    </ConfirmDialog>
  )
}
