import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { failure, type Disk, type MachineDefinition, type ParsedInputOf, type Renewal, type ResultOf, type Snapshot, type SnapshotRecord } from '#contract'
import type { Context } from '../context'
import { isAsRecorded } from '../disk/fingerprint'
import { copyBig, copySmall, ensurePrivateFolder, exists, readBytes, removeFile, removeTree, syncFile, writeFileAtomic, writeJsonAtomic } from '../host/files'
import { machinePaths, type MachinePaths } from '../library/paths'
import type { Incoming } from '../machine/command-line'
import { newNic } from '../machine/definition'
import { DiskTarget } from '../machine/disk-target'
import { explainedLoss, isLoss } from '../machine/loss'
import { linkDisk } from '../machine/link-disk'
import type { ManagedMachine } from '../machine/machine'
import { startFromSnapshot } from '../machine/start'
import { isOff } from '../machine/state'
import { throwIfCancelled, type Work } from '../task/work'
import { renewIdentity, setLinks, type Renewed } from './identity'
import { loadProblem } from './snapshots'
import { requireUnshared, takeReserved } from './take'

const LOAD_POLL_MS = 2

/** `snapshot.restore` */
export async function restoreSnapshot(input: ParsedInputOf<'snapshot.restore'>, context: Context, work: Work): Promise<ResultOf<'snapshot.restore'>> {
  const record = context.snapshots.get(input.snapshot)
  await requireUsable(record, context)
  if (input.as !== undefined) {
    const machine = await makeClone(record, input.as, context, work)
    const { renewal } = await runClone(machine, record, input.paused, context, work)
    work.pointOfNoReturn()
    await noteWhole(machine)
    return { machine: machine.view(), kept: null, renewal }
  }
  return restoreInPlace(record, input, context, work)
}

/** Throws when a snapshot cannot be restored here: before anything is touched. @throws unsupported, bad-file, not-found */
export async function requireUsable(record: SnapshotRecord, context: Context): Promise<void> {
  const problem = loadProblem(record, context.host.value)
  if (problem) throw failure('unsupported', `The snapshot “${record.name}” cannot be used here: ${problem}.`, {})
  await context.snapshots.verifyMemory(record)
  const paths = context.snapshots.paths(record.id)
  if (record.memory && createHash('sha256').update(await readBytes(paths.devices)).digest('hex') !== record.memory.devicesSha256) {
    throw failure('bad-file', `The device state of the snapshot “${record.name}” is damaged.`, { path: paths.devices, next: 'It cannot be used any more: restore another one.' })
  }
  for (const disk of record.definition.disks) {
    if (disk.image) await context.images.verifyById(disk.image.imageId)
    for (const layer of disk.layers) {
      const path = paths.disk(layer.file)
      if (!layer.frozen || (await isAsRecorded(path, layer.frozen))) continue
      throw failure('bad-file', `“${path}”, a part of the snapshot “${record.name}”, was changed by somebody else.`, { path, next: 'Put the file back as it was.' })
    }
  }
}

async function restoreInPlace(record: SnapshotRecord, input: ParsedInputOf<'snapshot.restore'>, context: Context, work: Work): Promise<ResultOf<'snapshot.restore'>> {
  const machine = machineTakenOf(record, context)
  requireUnshared(machine, context)
  await machine.inOrder
  let release = machine.reserve('it is being taken back to a snapshot')
  try {
    const kept = input.keep ? ((await heldAlready(machine, context)) ?? (await keepPresent(machine, record, context, work))) : null
    throwIfCancelled(work.signal)
    work.phase('switching to the snapshot')
    if (!isOff(machine.state)) await machine.forceOff(() => context.machines.endUnreachable(machine))
    await machine.whenOff
    const before = machine.definition
    const uefi = await turnDefinition(machine, record, context)
    release() // it is started: that looks whether it is reserved, and nobody gets in between
    release = () => {}
    try {
      if (record.memory) await load(machine, record, context, work)
    } catch (error) {
      if (!isOff(machine.state)) await machine.forceOff(() => context.machines.endUnreachable(machine))
      await machine.whenOff
      await goBack(machine, before, uefi, context)
      throw error
    }
    work.pointOfNoReturn()
    if (record.memory && !input.paused && record.was === 'running') await machine.resume()
    for (const { id } of machine.definition.disks) await new DiskTarget(context, machine, id).collectGarbage()
    await machine.measureDisks()
    await context.snapshots.tell(record)
    context.standbys.prepareSoon(machine, record)
    return { machine: machine.view(), kept, renewal: null }
  } finally {
    release()
  }
}

/** The machine that a snapshot was taken of. @throws not-found */
export function machineTakenOf(record: SnapshotRecord, context: Context): ManagedMachine {
  const machine = context.machines.all().find((one) => one.definition.id === record.machineId)
  if (machine) return machine
  throw failure('not-found', `The machine “${record.machine}” that “${record.name}” was taken of is not here any more.`, {
    what: 'machine',
    name: record.machine,
    next: 'Make a new machine from the snapshot.'
  })
}

/** The snapshot that holds the present state: a machine that has been paused since it was taken, and could not be taken once more. */
async function heldAlready({ state, definition }: ManagedMachine, { snapshots }: Context): Promise<Snapshot | null> {
  if (state.kind !== 'paused' || state.reason !== 'memory saved' || !snapshots.has(definition.snapshot)) return null
  const last = snapshots.get(definition.snapshot)
  const disks = (of: MachineDefinition): string => of.disks.map(({ id }) => id).join()
  return disks(definition) === disks(last.definition) ? snapshots.view(last) : null
}

async function keepPresent(machine: ManagedMachine, record: SnapshotRecord, context: Context, work: Work): Promise<Snapshot> {
  work.phase('keeping the present state')
  const kept = await takeReserved(machine, { note: `Before going back to “${record.name}”.`, halt: true, forget: true }, context, { ...work, pointOfNoReturn: () => {} })
  return context.snapshots.tell(kept)
}

/**
 * Writes the snapshot's disks into the machine's record, and with them all else that the devices depend on. The layers that it had until now
 * are garbage by that record, but their files stay until the snapshot has been loaded.
 * @returns what the machine's UEFI variables were
 */
async function turnDefinition(machine: ManagedMachine, record: SnapshotRecord, context: Context): Promise<Buffer | null> {
  const { definition, paths } = machine
  const disks: Disk[] = []
  for (const taken of record.definition.disks) {
    const now = definition.disks.find((one) => one.id === taken.id)
    const disk = await linkDisk(taken, now?.nextLayer ?? 1, context.snapshots.paths(record.id).disk, paths.disk)
    const old = now ? [...now.layers, ...now.undone].map((layer) => layer.file) : []
    disks.push({ ...disk, garbage: [...(now?.garbage ?? []), ...old], nextSequence: Math.max(disk.nextSequence, now?.nextSequence ?? 1) })
  }
  await syncFile(paths.disks)
  const variables = (await exists(paths.uefiVariables)) ? await readBytes(paths.uefiVariables) : null
  await bringVariables(record, paths, context)
  const { id, name, createdAtMs, notes, tags } = definition
  await context.machines.redefine(machine, { ...record.definition, id, name, createdAtMs, notes, tags, disks, snapshot: record.id })
  return variables
}

async function bringVariables(record: SnapshotRecord, paths: MachinePaths, context: Context): Promise<void> {
  const kept = context.snapshots.paths(record.id).uefiVariables
  if (!(await exists(kept))) return
  await removeFile(paths.uefiVariables)
  await copySmall(kept, paths.uefiVariables)
}

/** QEMU could not go on from the snapshot: the machine is again what it was, and off. */
async function goBack(machine: ManagedMachine, before: MachineDefinition, variables: Buffer | null, context: Context): Promise<void> {
  const made = machine.definition.disks.flatMap((disk) => disk.layers.map((layer) => layer.file))
  await context.machines.redefine(machine, before)
  for (const file of made) await removeFile(machine.paths.disk(file))
  if (variables) await writeFileAtomic(machine.paths.uefiVariables, variables)
}

/**
 * Makes a machine of its own from a snapshot: it shares the layers, and has its own identity. It is off, and half made until `noteWhole`.
 * @param old a machine that it takes the place of: that goes for good, but not before all that can fail is done
 */
export async function makeClone(record: SnapshotRecord, name: string, context: Context, work: Work, old?: ManagedMachine): Promise<ManagedMachine> {
  await context.machines.requireFreeName(name, old)
  const folder = await context.library.unfinished()
  work.onUndo(() => removeTree(folder))
  const paths = machinePaths(folder)
  await ensurePrivateFolder(paths.disks)
  const disks: Disk[] = []
  for (const taken of record.definition.disks) disks.push(await linkDisk(taken, 1, context.snapshots.paths(record.id).disk, paths.disk, context.library.paths.machine(name).disk))
  await bringVariables(record, paths, context)
  const { definition } = record
  const nics = definition.nics.map((nic) => ({ ...newNic(nic.network), forwards: [] })) // a port of the host leads to one machine
  const clone: MachineDefinition = { ...definition, id: randomUUID(), name, createdAtMs: Date.now(), disks, nics, snapshot: record.id }
  await writeJsonAtomic(paths.definition, clone)
  await writeFileAtomic(paths.halfMade, '')
  throwIfCancelled(work.signal)
  if (old) await discard(old, context)
  const machine = await context.machines.add(clone, folder)
  work.onUndo(() => discard(machine, context))
  return machine
}

/** A clone is all that it is to be: from now on it stays, whatever happens to us. */
export const noteWhole = (machine: ManagedMachine): Promise<void> => removeFile(machine.paths.halfMade)

/** Of a clone that did not come to life: nothing of it stays. */
export async function discard(machine: ManagedMachine, context: Context): Promise<void> {
  if (!isOff(machine.state)) await machine.forceOff(() => context.machines.endUnreachable(machine))
  await machine.whenOff
  const { trashId } = await context.machines.remove(machine)
  await context.machines.emptyTrash(trashId)
}

/** Lets a clone go on from the snapshot's memory, if that has any, as another machine than the one it was. */
export async function runClone(machine: ManagedMachine, record: SnapshotRecord, paused: boolean, context: Context, work: Work): Promise<Renewed> {
  const goesOn = await wakeClone(machine, record, paused, context, work)
  return { machine: machine.view(), renewal: goesOn ? await renewClone(machine, record) : null }
}

/**
 * The first half: it goes on, with its network unplugged, as it is still the one that it was.
 * @returns whether it goes on; what was off or is to be paused does not
 */
export async function wakeClone(machine: ManagedMachine, record: SnapshotRecord, paused: boolean, context: Context, work: Work): Promise<boolean> {
  if (!record.memory) return false
  await load(machine, record, context, work)
  if (paused || record.was !== 'running') return false
  await setLinks(machine, record.definition, false)
  await machine.resume()
  return true
}

/** The second half: it gets an identity of its own, and its network. */
export async function renewClone(machine: ManagedMachine, record: SnapshotRecord): Promise<Renewal> {
  try {
    const renewal = await renewIdentity(machine, record.definition, record.memory?.agent === true)
    await setLinks(machine, record.definition, true)
    return renewal
  } catch (error) {
    throw isOff(machine.state) || isLoss(error) ? await explainedLoss(machine, error, `QEMU of “${machine.name}” ended while that was being made.`) : error
  }
}

/** Starts QEMU with a snapshot's memory and devices; it stands still then. @throws program-failed with QEMU's words */
async function load(machine: ManagedMachine, record: SnapshotRecord, context: Context, work: Work): Promise<void> {
  const paths = context.snapshots.paths(record.id)
  const { machineType, plugged } = record.memory!
  const { sharedMemory } = machine.definition
  if (sharedMemory) {
    work.phase('copying memory') // others map it, so it cannot be a private view of the snapshot's
    await removeFile(machine.paths.memory)
    await copyBig(paths.ram, machine.paths.memory, { signal: work.signal, onProgress: work.progress })
  }
  const incoming: Incoming = { ram: sharedMemory ? machine.paths.memory : paths.ram, devices: paths.devices, machineType, plugged, deferred: false }
  try {
    await startFromSnapshot(machine, context, incoming, work, await context.standbys.take(machine, record))
    work.phase('loading devices')
    await loaded(machine)
  } catch (error) {
    throw isLoss(error) ? await explainedLoss(machine, error, 'QEMU could not go on from the snapshot.') : error
  } finally {
    if (sharedMemory) await removeFile(machine.paths.memory) // QEMU has it, and it goes with QEMU
  }
}

async function loaded(machine: ManagedMachine): Promise<void> {
  const { qmp } = machine.live('loaded')
  while ((await qmp.execute('query-status')).status === 'inmigrate') await delay(LOAD_POLL_MS)
}
