import { randomBytes } from 'node:crypto'
import { failure, type MachineDefinition, type ParsedInputOf, type Snapshot, type SnapshotMemory, type SnapshotPlan, type SnapshotRecord } from '#contract'
import type { Context } from '../context'
import { copySmall, exists, fileFacts, removeFile, removeTree, writeFileAtomic, writeJsonAtomic } from '../host/files'
import { snapshotPaths, type SnapshotPaths } from '../library/paths'
import { DEVICE_LAYOUT } from '../machine/command-line'
import { DiskTarget } from '../machine/disk-target'
import type { ManagedMachine } from '../machine/machine'
import { explainedLoss, isLoss } from '../machine/loss'
import { finishPending } from '../machine/overlays'
import type { Qemu } from '../machine/qemu'
import { screenPng } from '../machine/screenshot'
import { throwIfCancelled, type Work } from '../task/work'
import { capture } from './capture'
import { prepareCover, requireNothingUndone, snapshotDisks, type Cover } from './cover'
import { noteCapture } from './interrupted'
import { chooseMethod } from './method'

type Taken = { name?: string | undefined; note: string; halt: boolean; forget: boolean }

/** `snapshot.take` */
export async function takeSnapshot(input: ParsedInputOf<'snapshot.take'>, context: Context, work: Work): Promise<Snapshot> {
  const machine = context.machines.get(input.machine)
  await machine.inOrder
  const release = machine.reserve('a snapshot is being taken of it')
  try {
    const record = await takeReserved(machine, input, context, work)
    return await context.snapshots.tell(record)
  } finally {
    release()
  }
}

/** Of a machine that the caller has reserved. @throws unsupported, wrong-state, no-space, and what keeps QEMU from writing its memory out */
export async function takeReserved(machine: ManagedMachine, input: Taken, context: Context, work: Work): Promise<SnapshotRecord> {
  for (const { id } of machine.definition.disks) await finishPending(new DiskTarget(context, machine, id), work)
  requireNothingUndone(machine, input.forget)
  requireUnshared(machine, context)
  const folder = await context.library.unfinished()
  work.onUndo(() => removeTree(folder))
  const paths = snapshotPaths(folder)
  const name = input.name ?? timeName(new Date())
  const qemu = machine.running
  const was = qemu ? (machine.state.kind === 'paused' ? 'paused' : 'running') : 'off'
  // Side by side; nothing is written any more when one of them has failed.
  const screenKept = qemu ? keepScreen(qemu, paths) : Promise.resolve(false)
  const screenOver = screenKept.then(() => {}, () => {}) // told below, unless the other fails too
  const cover = await prepareCover(machine, context, `Snapshot “${name}”`).finally(() => screenOver)
  work.onUndo(cover.withdraw)
  const screen = await screenKept
  const memory = qemu ? await takeLive(machine, qemu, cover, { paths, running: was === 'running', halt: input.halt }, work) : await takeOff(machine, cover, paths)
  work.phase('keeping the disks')
  const { definition } = machine
  const record: SnapshotRecord = {
    schemaVersion: 1,
    id: newId(),
    name,
    note: input.note,
    takenAtMs: Date.now(),
    machineId: definition.id,
    machine: definition.name,
    parentId: context.snapshots.has(definition.snapshot) ? definition.snapshot : null,
    definition: { ...definitionThen(machine, qemu), disks: await snapshotDisks(machine, cover.after, paths) },
    memory,
    was,
    screen
  }
  await writeJsonAtomic(paths.record, record)
  throwIfCancelled(work.signal)
  work.pointOfNoReturn()
  await context.snapshots.add(record, folder)
  await context.machines.redefine(machine, { ...machine.definition, snapshot: record.id })
  await machine.measureDisks()
  if (input.halt && qemu) await machine.forceOff(() => context.machines.endUnreachable(machine))
  return record
}

/** A running machine is what it was started as; what was changed since waits for its next start. Its disks are as they are now. */
const definitionThen = (machine: ManagedMachine, qemu: Qemu | null): MachineDefinition =>
  qemu ? { ...qemu.record.definition, name: machine.name, notes: machine.definition.notes, tags: machine.definition.tags } : machine.definition

async function takeOff(machine: ManagedMachine, cover: Cover, paths: SnapshotPaths): Promise<null> {
  await cover.apply()
  if (await exists(machine.paths.uefiVariables)) await copySmall(machine.paths.uefiVariables, paths.uefiVariables)
  return null
}

/** A disk of another machine is no part of a snapshot, and one that others read must not be exchanged under them. @throws in-use, unsupported */
export function requireUnshared(machine: ManagedMachine, { shares }: Context): void {
  shares.requireUnshared(machine, null, 'a part of a snapshot')
  if (shares.members.withClient(machine).length === 0) return
  throw failure('unsupported', `“${machine.name}” uses a disk that is shared with it, which no snapshot can hold.`, { next: 'Detach the shared disk from it first: strata share detach' })
}

interface Live {
  paths: SnapshotPaths
  running: boolean
  halt: boolean
}

async function takeLive(machine: ManagedMachine, qemu: Qemu, cover: Cover, { paths, running, halt }: Live, work: Work): Promise<SnapshotMemory> {
  const problem = livingProblem(machine, qemu)
  if (problem) throw failure('unsupported', `A snapshot of “${machine.name}” cannot be taken now: ${problem}.`, { next: 'Stop it, and take one while it is off.' })
  const { qmp, record } = qemu
  const goesOn = running && !halt
  const { how, reason, stallMs } = await chooseMethod(machine, qemu, goesOn)
  const plugged = await pluggedDisks(machine, qemu)
  if (reason !== null && goesOn) {
    work.log(`The guest stands still meanwhile, for about ${stallMs} ms: ${reason}.`)
    work.phase(`writing out memory; the guest stands still for about ${(stallMs / 1000).toFixed(1)} s`)
  } else work.phase('writing out memory')
  await noteCapture(machine, running)
  const captured = await capture(
    qmp,
    {
      how,
      socket: qemu.runtime.migration,
      files: { ram: paths.ram, devices: paths.devices },
      running,
      resume: goesOn,
      beforeInstant: cover.flush,
      atInstant: async () => {
        await cover.apply()
        if (record.definition.firmware === 'uefi') await copySmall(machine.paths.uefiVariables, paths.uefiVariables)
      }
    },
    work
  )
    .catch(async (error: unknown) => {
      throw isLoss(error) ? await explainedLoss(machine, error, `QEMU of “${machine.name}” ended while its snapshot was being taken.`) : error
    })
    .finally(() => removeFile(machine.paths.capture))
  await machine.levelState()
  work.log(goesOn ? `The guest stood still for ${Math.round(captured.stallMs)} ms.` : 'The guest stood still.')
  const { sizeBytes, modifiedAtMs } = await fileFacts(paths.ram)
  return {
    ram: { sizeBytes, modifiedAtMs },
    devicesSha256: captured.devicesSha256,
    qemuVersion: qmp.version,
    machineType: await machineType(qemu),
    accelerator: record.accelerator,
    deviceLayout: DEVICE_LAYOUT,
    plugged,
    agent: machine.view().agent === true,
    method: how.method,
    stallMs: Math.round(captured.stallMs * 10) / 10
  }
}

/** The full name of the machine type that QEMU runs: `q35` is another one in every version. */
async function machineType({ qmp }: Qemu): Promise<string> {
  const type = (await qmp.execute('qom-get', { path: '/machine', property: 'type' })) as string
  return type.replace(/-machine$/, '')
}

/** Why no snapshot can be taken of a machine that is on. */
function livingProblem({ state }: ManagedMachine, { record }: Qemu): string | null {
  if (record.definition.tpm) return 'what its TPM holds would not be a part of it'
  if (state.kind === 'stopping') return 'it is being switched off'
  if (state.kind === 'paused' && state.reason === 'memory saved') return 'it was paused when the last one was taken, and QEMU can write its memory out again only after it went on'
  return null
}

/** Disks that were plugged in since the start, and the port of each. */
async function pluggedDisks({ definition }: ManagedMachine, { qmp, record }: Qemu): Promise<Record<string, string>> {
  const later = definition.disks.filter((disk) => !record.definition.disks.some((one) => one.id === disk.id))
  const entries = later.map(async ({ id }) => {
    const bus = (await qmp.execute('qom-get', { path: `/machine/peripheral/${id}-device`, property: 'parent_bus' })) as string
    return [id, bus.split('/').at(-1) ?? ''] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

/** The screen at that moment, as far as there is one. */
async function keepScreen(qemu: Qemu, paths: SnapshotPaths): Promise<boolean> {
  if (!qemu.record.definition.display) return false
  await writeFileAtomic(paths.screen, (await screenPng(qemu)).png)
  return true
}

/** `snapshot.plan` */
export async function planSnapshot(input: { machine: string }, context: Context): Promise<SnapshotPlan> {
  const machine = context.machines.get(input.machine)
  const qemu = machine.running
  if (!qemu) return { method: 'off', reason: null, expectedStallMs: 0, problem: null }
  const shared = context.shares.members.withClient(machine).length > 0 ? 'it uses a disk that is shared with it' : null
  const problem = livingProblem(machine, qemu) ?? shared
  if (machine.state.kind === 'paused' || problem) return { method: 'stopped', reason: null, expectedStallMs: 0, problem }
  const { how, reason, stallMs } = await chooseMethod(machine, qemu, true)
  return { method: how.method, reason, expectedStallMs: stallMs, problem: null }
}

/** `2026-01-31 14.05.09`: sorts, and is a name. */
function timeName(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}.${two(at.getMinutes())}.${two(at.getSeconds())}`
}

const newId = (): string => `${Date.now().toString(36)}-${randomBytes(3).toString('hex')}`
