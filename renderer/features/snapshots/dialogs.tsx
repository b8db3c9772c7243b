import { useEffect, useState, type ReactNode } from 'react'
import type { Machine, Snapshot, SnapshotPlan } from '#contract'
import { Banner, Checkbox, ConfirmDialog, Dialog, Field, formatCount, formatExact, formatSize, NumberInput, Select, TextArea, TextInput, Button } from '#ui'
import { attempt, call, closeOverlay, currentPlace, goToMachine, toast, useMachine, useSnapshots, type SnapshotOverlay } from '../../app'
import { Sentence, TaskDialog, useTaskRun } from '../task-dialog'
import { whyNotRestore } from './allowed'
import { formatStall } from './words'
import { freeName, machineNameProblem, nameProblem } from './names'

/** The dialogs about snapshots: whichever is open. */
export function SnapshotDialogs({ overlay }: { overlay: SnapshotOverlay }) {
  const machine = useMachine(overlay.machine)
  const snapshot = useSnapshots((state) => state.byId[overlay.snapshot])
  if (overlay.action === 'take') return machine ? <TakeDialog machine={machine} /> : <Gone />
  if (overlay.action === 'clone-machine') return machine ? <CloneMachineDialog machine={machine} /> : <Gone />
  if (overlay.action === 'clone' && overlay.snapshot === '') return <CloneOfAny />
  if (!snapshot) return <Gone />
  switch (overlay.action) {
    case 'restore':
      return machine ? <RestoreDialog machine={machine} snapshot={snapshot} /> : <Gone />
    case 'clone':
      return <CloneDialog snapshot={snapshot} />
    case 'fork':
      return <ForkDialog snapshot={snapshot} />
    case 'edit':
      return <EditDialog snapshot={snapshot} />
    case 'remove':
      return <RemoveDialog snapshot={snapshot} />
  }
}

/** What it is about was deleted while it was open. */
function Gone() {
  useEffect(closeOverlay, [])
  return null
}

const wordsOf = (plan: SnapshotPlan): string => {
  if (plan.method === 'off') return 'The machine is off: its disks are held, which takes a moment and no space.'
  if (plan.method !== 'stopped') return `The guest goes on while its memory is written out. It stands still for about ${formatStall(plan.expectedStallMs)}.`
  if (plan.reason === null) return 'The guest stands still anyway: its memory is written out, and it stays paused.'
  return `The guest stands still for about ${formatStall(plan.expectedStallMs)}: ${plan.reason}.`
}

function TakeDialog({ machine }: { machine: Machine }) {
  const [name, setName] = useState('')
  const [note, setNote] = useState('')
  const [halt, setHalt] = useState(false)
  const [forget, setForget] = useState(false)
  const work = useTaskRun()
  const plan = usePlan(machine, work.busy)
  const undone = (machine.definition?.disks ?? []).some((disk) => disk.undone.length > 0)
  const badName = name === '' ? null : nameProblem(name)
  const blocked = badName ?? (plan?.problem ? `It cannot be taken now: ${plan.problem}.` : undone && !forget ? 'Say that commits which were undone may go.' : null)
  const run = async (): Promise<void> => {
    const taken = await work.run('snapshot.take', { machine: machine.id, note, halt, forget, ...(name === '' ? {} : { name }) })
    if (!taken) return
    closeOverlay()
    toast(`The snapshot “${taken.name}” is taken.`, {
      tone: 'good',
      note: taken.was === 'running' && !halt ? `The guest stood still for ${formatStall(taken.stallMs ?? 0)}.` : undefined,
      actions: isShown(machine) ? [] : [{ label: 'Snapshots', run: () => goToMachine(machine.id, 'snapshots') }]
    })
  }
  return (
    <TaskDialog title={`Take a snapshot of ${machine.name}`} verb="Take" blocked={blocked} work={work} subject={machine.name} onRun={() => void run()} width={460}>
      <Field label="Name" hint="Without one it is called by the time." error={badName}>
        <TextInput autoFocus value={name} placeholder="such as: ready for the class" onChange={setName} />
      </Field>
      <Field label="Note">
        <TextArea value={note} rows={2} maxLength={2000} onChange={setNote} />
      </Field>
      {'pid' in machine.state && <Checkbox checked={halt} onChange={setHalt} label="Switch the machine off afterwards" note="As if frozen: it goes on from here when the snapshot is restored." />}
      {undone && <Checkbox checked={forget} onChange={setForget} label="Give up disk commits that were undone" note="They cannot follow what the snapshot seals." />}
      {plan?.problem ? <Banner tone="warning">It cannot be taken now: {plan.problem}.</Banner> : plan && !halt && <Sentence>{wordsOf(plan)}</Sentence>}
    </TaskDialog>
  )
}

/** Whether the machine's snapshots are what the window shows. */
function isShown(machine: Machine): boolean {
  const place = currentPlace()
  return place.kind === 'machine' && place.id === machine.id && place.tab === 'snapshots'
}

function RestoreDialog({ machine, snapshot }: { machine: Machine; snapshot: Snapshot }) {
  const on = 'pid' in machine.state
  const [keep, setKeep] = useState(true)
  const work = useTaskRun()
  // While the sheet is read. Where none can stand by, restoring only takes a moment longer.
  useEffect(() => void call('snapshot.prepare', { snapshot: snapshot.id }), [snapshot.id])
  const run = async (): Promise<void> => {
    const done = await work.run('snapshot.restore', { snapshot: snapshot.id, keep })
    if (!done) return
    closeOverlay()
    toast(`${machine.name} is back at “${snapshot.name}”.`, { tone: 'good', note: done.kept ? `What it was before is kept as “${done.kept.name}”.` : undefined })
  }
  return (
    <TaskDialog
      title={`Take ${machine.name} back to “${snapshot.name}”`}
      description={`Taken ${formatExact(snapshot.takenAtMs)}, when the guest ${snapshot.was === 'off' ? 'was off' : snapshot.was === 'paused' ? 'was paused' : 'ran'}.`}
      verb="Restore"
      danger={!keep}
      blocked={snapshot.problem === null ? null : `It cannot be used here: ${snapshot.problem}.`}
      work={work}
      subject={machine.name}
      onRun={() => void run()}
      width={480}
    >
      <Checkbox checked={keep} onChange={setKeep} label="Keep the present state as a snapshot first" note={on ? 'Memory and disks as they are now.' : 'Its disks as they are now.'} />
      {!keep && (
        <Banner tone="warning">
          What {machine.name} has done since its last snapshot is lost: {on ? 'the programs that run in it, and ' : ''}what was written to its disks.
        </Banner>
      )}
      <Sentence>
        {snapshot.method === null
          ? 'The machine is off afterwards.'
          : `The guest goes on from that instant${on ? '; what runs in it now ends' : ''}. Its settings are those of then.`}
      </Sentence>
    </TaskDialog>
  )
}

/** Of whichever snapshot of the library, those too whose machine is not here. */
function CloneOfAny() {
  const byId = useSnapshots((state) => state.byId)
  const all = Object.values(byId).sort((a, b) => b.takenAtMs - a.takenAtMs)
  const [chosen, setChosen] = useState(all[0]?.id ?? '')
  const snapshot = byId[chosen]
  if (!snapshot) return <Gone />
  const options = all.map((one) => ({ value: one.id, label: `${one.name} (${one.machine})` }))
  return (
    <CloneDialog key={chosen} snapshot={snapshot}>
      <Field label="Made from">
        <Select label="Made from" value={chosen} options={options} onChange={setChosen} />
      </Field>
    </CloneDialog>
  )
}

function CloneDialog({ snapshot, children }: { snapshot: Snapshot; children?: ReactNode }) {
  const [name, setName] = useState(() => freeName(snapshot.machine))
  const work = useTaskRun()
  const problem = machineNameProblem(name)
  const run = async (): Promise<void> => {
    const done = await work.run('snapshot.restore', { snapshot: snapshot.id, as: name })
    if (!done) return
    closeOverlay()
    toast(`${done.machine.name} is made from “${snapshot.name}”.`, { tone: 'good', note: done.renewal ? `Renewed: ${done.renewal.renewed.join(', ')}.` : undefined })
    goToMachine(done.machine.id)
  }
  return (
    <TaskDialog
      title={`A new machine from “${snapshot.name}”`}
      description="It shares with the snapshot what it does not change, so it takes hardly any space."
      verb="Make it"
      blocked={problem ?? whyNotRestore(snapshot)}
      work={work}
      subject={name}
      onRun={() => void run()}
      width={440}
    >
      {children}
      <Field label="Name" error={problem}>
        <TextInput autoFocus value={name} onChange={setName} />
      </Field>
      <Identity snapshot={snapshot} />
    </TaskDialog>
  )
}

/** Another machine like this one, without a snapshot that one gets to see. */
function CloneMachineDialog({ machine }: { machine: Machine }) {
  const [name, setName] = useState(() => freeName(machine.name))
  const work = useTaskRun()
  const plan = usePlan(machine, work.busy)
  const problem = machineNameProblem(name) ?? (plan?.problem ? `It cannot be cloned now: ${plan.problem}.` : null)
  const on = 'pid' in machine.state
  const run = async (): Promise<void> => {
    const done = await work.run('machine.clone', { machine: machine.id, name })
    if (!done) return
    closeOverlay()
    toast(`${done.machine.name} is a clone of ${machine.name}.`, { tone: 'good', note: done.renewal ? `Renewed: ${done.renewal.renewed.join(', ')}.` : undefined })
    goToMachine(done.machine.id)
  }
  return (
    <TaskDialog
      title={`Clone ${machine.name}`}
      description="They share what neither of them changes, so the clone takes hardly any space."
      verb="Clone"
      blocked={problem}
      work={work}
      subject={name}
      onRun={() => void run()}
      width={440}
    >
      <Field label="Name of the clone" error={machineNameProblem(name)}>
        <TextInput autoFocus value={name} onChange={setName} />
      </Field>
      <Sentence>
        {on
          ? 'It goes on from here as another machine: host name, machine id, network addresses, random numbers and the time are renewed through the guest agent. Port forwards stay with the original.'
          : 'It is off, as this one is, and has network addresses of its own. Port forwards stay with the original.'}
      </Sentence>
      {plan && on && plan.problem === null && <Sentence>{wordsOf(plan)}</Sentence>}
    </TaskDialog>
  )
}

/** What taking a snapshot now would mean for the guest; null until that is known. While one is taken, it stays what it was before. */
function usePlan(machine: Machine, busy: boolean): SnapshotPlan | null {
  const [plan, setPlan] = useState<SnapshotPlan | null>(null)
  useEffect(() => {
    if (busy) return
    let over = false
    void call('snapshot.plan', { machine: machine.id }).then((answer) => over || (answer.ok && setPlan(answer.value)))
    return () => void (over = true)
  }, [machine.id, machine.state.kind, busy])
  return plan
}

function ForkDialog({ snapshot }: { snapshot: Snapshot }) {
  const [count, setCount] = useState<number | null>(4)
  const [prefix, setPrefix] = useState(snapshot.machine)
  const [start, setStart] = useState(true)
  const work = useTaskRun()
  const wrongCount = count === null || count < 1 || count > 64 ? 'Between 1 and 64 machines.' : null
  const wrongName = nameProblem(prefix)
  const run = async (): Promise<void> => {
    const done = await work.run('snapshot.fork', { snapshot: snapshot.id, count: count ?? 1, prefix, start })
    if (!done) return
    closeOverlay()
    toast(`${formatCount(done.machines.length, 'machine')} made from “${snapshot.name}”.`, { tone: 'good' })
  }
  return (
    <TaskDialog
      title={`Fork “${snapshot.name}”`}
      description="Many machines that go on from the same instant. They share memory and disks until they change them."
      verb={start && snapshot.method !== null ? 'Make and start them' : 'Make them'}
      blocked={wrongCount ?? wrongName}
      work={work}
      subject={snapshot.machine}
      onRun={() => void run()}
      width={440}
    >
      <Field label="How many" error={wrongCount}>
        <NumberInput value={count} onChange={setCount} min={1} max={64} label="How many" />
      </Field>
      <Field label="Names begin with" hint={wrongName === null ? `${prefix}-1, ${prefix}-2 and so on: the first that are free.` : undefined} error={wrongName}>
        <TextInput value={prefix} onChange={setPrefix} />
      </Field>
      {snapshot.method !== null && <Checkbox checked={start} onChange={setStart} label="Let them run now" note={`Each has ${formatSize(snapshot.memoryBytes)} of memory, and takes what it changes of that.`} />}
      <Identity snapshot={snapshot} who="Each" />
    </TaskDialog>
  )
}

const Identity = ({ snapshot, who = 'It' }: { snapshot: Snapshot; who?: 'It' | 'Each' }) => (
  <Sentence>
    {snapshot.was === 'running'
      ? `${who} gets another host name, machine id, network addresses, random numbers and the present time, through the guest agent. Port forwards stay with the original.`
      : `${who} gets network addresses of its own. Port forwards stay with the original.`}
  </Sentence>
)

function EditDialog({ snapshot }: { snapshot: Snapshot }) {
  const [name, setName] = useState(snapshot.name)
  const [note, setNote] = useState(snapshot.note)
  const problem = nameProblem(name)
  const save = async (): Promise<void> => {
    if (problem !== null) return
    if (name !== snapshot.name && !(await attempt('snapshot.rename', { snapshot: snapshot.id, name })).ok) return
    if (note !== snapshot.note && !(await attempt('snapshot.note', { snapshot: snapshot.id, note })).ok) return
    closeOverlay()
  }
  return (
    <Dialog
      title={`Name and note of “${snapshot.name}”`}
      onClose={closeOverlay}
      width={440}
      footer={
        <>
          <Button onClick={closeOverlay}>Cancel</Button>
          <Button variant="primary" blocked={problem} onClick={() => void save()}>
            Save
          </Button>
        </>
      }
    >
      <Field label="Name" error={problem}>
        <TextInput autoFocus value={name} onChange={setName} />
      </Field>
      <Field label="Note">
        <TextArea value={note} rows={3} maxLength={2000} onChange={setNote} />
      </Field>
    </Dialog>
  )
}

function RemoveDialog({ snapshot }: { snapshot: Snapshot }) {
  const [busy, setBusy] = useState(false)
  const remove = async (): Promise<void> => {
    setBusy(true)
    const answer = await attempt('snapshot.remove', { snapshot: snapshot.id })
    setBusy(false)
    if (!answer.ok) return
    closeOverlay()
    toast(`The snapshot “${answer.value.removed}” is removed.`, { note: `${formatSize(answer.value.freedBytes)} are free again.` })
  }
  return (
    <ConfirmDialog title={`Remove “${snapshot.name}”?`} verb="Remove" danger busy={busy} onConfirm={() => void remove()} onClose={closeOverlay}>
      <p>
        It cannot be restored any more, and cannot be brought back. {formatSize(snapshot.ownBytes)} become free.
      </p>
      <p>Snapshots before and after it stay as they are, and so do machines that were made from it.</p>
    </ConfirmDialog>
  )
}
