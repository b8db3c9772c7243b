import { randomBytes } from 'node:crypto'
import { failure, type Lab, type LabRecord, type ParsedInputOf, type Renewal, type ResultOf, type SnapshotRecord } from '#contract'
import type { Context } from '../context'
import type { ManagedMachine } from '../machine/machine'
import { startMachine } from '../machine/start'
import { isOff } from '../machine/state'
import { forkSnapshot, inParallel } from '../snapshot/fork'
import { makeClone, noteWhole, requireUsable, runClone } from '../snapshot/restore'
import { asWork, throwIfCancelled, type Work } from '../task/work'

type Place = LabRecord['machines'][number]

/** `lab.deploy`: all of its machines or none. */
export async function deployLab(input: ParsedInputOf<'lab.deploy'>, context: Context, work: Work): Promise<ResultOf<'lab.deploy'>> {
  const { labs, snapshots, machines } = context
  labs.requireFreeName(input.prefix)
  const { id: snapshotId } = snapshots.get(input.from)
  for (let n = 1; n <= input.count; n++) await machines.requireFreeName(`${input.prefix}-${n}`)
  const fork = { snapshot: snapshotId, count: input.count, prefix: input.prefix, start: input.start }
  const id = `${Date.now().toString(36)}-${randomBytes(3).toString('hex')}`
  const { renewals } = await forkSnapshot(fork, context, work, async (clones) => {
    throwIfCancelled(work.signal)
    const places = clones.map(({ name, definition }) => ({ name, machineId: definition.id }))
    await labs.add({ schemaVersion: 1, id, name: input.prefix, createdAtMs: Date.now(), snapshotId, machines: places })
  })
  return { lab: labs.view(labs.get(id)), renewals }
}

/** `lab.recreate`: each is there again under its name. What fails leaves the rest done, and says which failed. */
export async function recreateLab(input: ParsedInputOf<'lab.recreate'>, context: Context, work: Work): Promise<ResultOf<'lab.recreate'>> {
  const lab = context.labs.get(input.lab)
  const snapshot = snapshotOf(lab, context)
  await requireUsable(snapshot, context)
  const places = input.machine === undefined ? lab.machines : [placeOf(input.machine, lab, context)]
  const renewals: Renewal[] = []
  work.phase('making the machines anew')
  await forEach(places, context, work, async (place) => {
    const { renewal } = await recreate(place, lab.id, snapshot, context, work)
    if (renewal) renewals.push(renewal)
  })
  return { lab: context.labs.view(context.labs.get(lab.id)), renewals }
}

function snapshotOf(lab: LabRecord, { snapshots }: Context): SnapshotRecord {
  if (snapshots.has(lab.snapshotId)) return snapshots.get(lab.snapshotId)
  throw failure('not-found', `The snapshot that “${lab.name}” was made from is gone.`, { what: 'snapshot', name: lab.snapshotId, next: 'Make another lab.' })
}

function placeOf(reference: string, lab: LabRecord, { machines }: Context): Place {
  const name = reference.normalize('NFC')
  const id = machines.all().find((machine) => machine.name === name || machine.definition.id === reference)?.definition.id
  const place = lab.machines.find((one) => one.machineId === (id ?? reference) || (id === undefined && one.name === name))
  if (place) return place
  throw failure('not-found', `“${reference}” is no machine of “${lab.name}”.`, { what: 'machine', name: reference })
}

/** The old one goes for good: it was made to be thrown away. */
async function recreate(place: Place, labId: string, snapshot: SnapshotRecord, context: Context, work: Work): Promise<{ renewal: Renewal | null }> {
  const old = machineAt(place, context)
  old?.requireUnreserved()
  const name = old?.name ?? place.name
  // Each machine is a step of its own: what was made stays when another one fails.
  const clone = await asWork((own) => makeClone(snapshot, name, context, own, old), work.signal)
  const turned = (one: Place): Place => (one.machineId === place.machineId ? { name, machineId: clone.definition.id } : one)
  await context.labs.change(labId, (lab) => ({ ...lab, machines: lab.machines.map(turned) }))
  try {
    const { renewal } = await runClone(clone, snapshot, false, context, work)
    return { renewal }
  } finally {
    await noteWhole(clone) // it has its place in the lab, whether it goes on or not
  }
}

const machineAt = ({ machineId }: Place, { machines }: Context): ManagedMachine | undefined => machines.all().find((machine) => machine.definition.id === machineId)
const machinesOf = (lab: LabRecord, context: Context): ManagedMachine[] => lab.machines.flatMap((place) => machineAt(place, context) ?? [])

/** `lab.start`: those that are off boot from their own disks. */
export async function startLab(input: ParsedInputOf<'lab.start'>, context: Context, work: Work): Promise<Lab> {
  const lab = context.labs.get(input.lab)
  work.phase('starting the machines')
  const off = machinesOf(lab, context).filter((machine) => isOff(machine.state))
  await forEach(off, context, work, (machine) =>
    startMachine({ machine: machine.definition.id, wait: 'running', timeoutSeconds: 120, paused: false, temporary: false }, context, quiet(work))
  )
  return context.labs.view(context.labs.get(lab.id))
}

/** `lab.stop` */
export async function stopLab(input: ParsedInputOf<'lab.stop'>, context: Context, work: Work): Promise<Lab> {
  const lab = context.labs.get(input.lab)
  const timeoutMs = context.settings.value.stopTimeoutSeconds * 1000
  work.phase(input.force ? 'switching the machines off' : 'asking the guests to power off')
  const on = machinesOf(lab, context).filter((machine) => !isOff(machine.state))
  // Guests take their time, but the computer does not: all of them are asked at once.
  await forEach(on, context, work, (machine) => (input.force ? endNow(machine, context) : machine.stop(quiet(work), timeoutMs)), on.length)
  return context.labs.view(context.labs.get(lab.id))
}

async function endNow(machine: ManagedMachine, context: Context): Promise<void> {
  await context.shares.ownerEnds(machine)
  await machine.forceOff(() => context.machines.endUnreachable(machine))
}

/** `lab.remove` */
export async function removeLab(input: ParsedInputOf<'lab.remove'>, context: Context, work: Work): Promise<ResultOf<'lab.remove'>> {
  const lab = context.labs.get(input.lab)
  const machines = machinesOf(lab, context)
  for (const machine of machines) {
    machine.requireUnreserved()
    context.shares.requireUnshared(machine, null, 'deleted')
  }
  work.phase('removing the machines')
  await forEach(machines, context, work, async (machine) => {
    if (!isOff(machine.state)) await endNow(machine, context)
    await machine.whenOff
    await context.machines.remove(machine)
  })
  work.pointOfNoReturn()
  await context.labs.forget(lab)
  return { removed: lab.name, machines: machines.length }
}

/** Their phases are not told: many run side by side. */
const quiet = (work: Work): Work => ({ ...work, phase: () => {}, progress: () => {}, onUndo: () => {}, pointOfNoReturn: () => {} })

async function forEach<T>(items: readonly T[], { host }: Context, work: Work, act: (item: T) => Promise<unknown>, most = host.value.cpu.count + 1): Promise<void> {
  let done = 0
  await inParallel(items, Math.max(1, most), async (item) => {
    throwIfCancelled(work.signal)
    await act(item)
    work.progress(++done / items.length)
  })
}
