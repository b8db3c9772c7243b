import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { Failure, failure, MachineDefinition, Name, type Accelerator, type Machine } from '#contract'
import { allocatedBytes, exists, listFolder, move, readJson, removeFile, removeTree, writeJsonAtomic } from '../host/files'
import { isLocked } from '../host/lock'
import { signalProcess } from '../host/process'
import type { Library } from '../library/library'
import { machinePaths } from '../library/paths'
import { describeExit } from './exit'
import { readExitRecord, type ExitRecord } from './exit-record'
import { ManagedMachine } from './machine'
import { endSwitch } from './network-switch'
import { adoptQemu, processGone, recordedProcessLives, type Qemu } from './qemu'
import { readRunRecord, type RunRecord } from './run-record'
import { isOff, requireState } from './state'

const ENDING_MS = 2_000

const Removed = z.object({ schemaVersion: z.literal(1), name: z.string(), removedAtMs: z.number() })

export interface MachinesOptions {
  defaultAccelerator: () => Accelerator
  onDidChange: (machine: Machine) => void
  onDidRemove: (id: string) => void
}

/** All machines of the library. Folder names are machine names; the ids inside are what stays. */
export class Machines {
  private readonly machines = new Map<string, ManagedMachine>()
  /** Folders that cannot be read as machines, by name, with the reason. */
  private readonly broken = new Map<string, string>()
  /** What is in the trash, by trash id. */
  private readonly trashed = new Map<string, MachineDefinition>()

  /** Settled when what machines that have ended needed is gone too. */
  tidied: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly library: Library,
    private readonly options: MachinesOptions
  ) {}

  /** Reads every machine and takes charge of those that run. */
  async load(): Promise<void> {
    const names = await listFolder(this.library.paths.machines)
    await Promise.all([...names.map((name) => this.loadOne(name)), this.loadTrash()])
  }

  list(): Machine[] {
    const views = [...this.machines.values()].map((machine) => machine.view())
    for (const [name, message] of this.broken) views.push(brokenView(name, message, this.options.defaultAccelerator()))
    return views.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }))
  }

  all(): ManagedMachine[] {
    return [...this.machines.values()]
  }

  /** By name or id. @throws not-found, bad-file (a broken one) */
  get(reference: string): ManagedMachine {
    const name = reference.normalize('NFC')
    const found = this.machines.get(reference) ?? this.all().find((machine) => machine.name === name)
    if (found) return found
    const broken = this.broken.get(name)
    if (broken) throw failure('bad-file', broken, { path: this.library.paths.machine(name).root })
    throw failure('not-found', `There is no machine “${reference}”.`, { what: 'machine', name: reference, next: 'See the list of machines.' })
  }

  /** Names of the machines that stand on an image. Those in the trash count: they may be brought back. */
  usersOfImage(imageId: string): string[] {
    const deleted = [...this.trashed.values()].filter((definition) => imagesOf(definition).includes(imageId))
    const present = this.all().filter((machine) => imagesOf(machine.definition).includes(imageId))
    return [...present.map((machine) => machine.name), ...deleted.map((definition) => `${definition.name} (deleted)`)]
  }

  /** @throws already-exists. Names that differ in case only are kept apart from each other, as they look alike. */
  async requireFreeName(name: string, except?: ManagedMachine): Promise<void> {
    const same = this.all().find((machine) => machine !== except && machine.name.toLocaleLowerCase() === name.toLocaleLowerCase())
    const folder = this.library.paths.machine(name).root
    if (same || ((await exists(folder)) && except?.paths.root !== folder)) {
      throw failure('already-exists', `There is already a machine “${same?.name ?? name}”.`, { what: 'machine', name, next: 'Choose another name.' })
    }
  }

  /** A finished machine folder becomes a machine: from here on it exists. */
  async add(definition: MachineDefinition, folder: string): Promise<ManagedMachine> {
    await this.requireFreeName(definition.name)
    const paths = this.library.paths.machine(definition.name)
    await move(folder, paths.root)
    const machine = this.manage(definition)
    await this.recallExit(machine)
    await machine.measureDisks()
    this.options.onDidChange(machine.view())
    return machine
  }

  /** Saves a changed definition. */
  async redefine(machine: ManagedMachine, definition: MachineDefinition): Promise<void> {
    await writeJsonAtomic(machine.paths.definition, definition)
    machine.redefine(definition)
  }

  async rename(machine: ManagedMachine, name: string): Promise<void> {
    requireState(machine.name, machine.state, ['created', 'stopped', 'crashed'], 'renamed')
    machine.requireUnreserved()
    if (name === machine.name) return
    await this.requireFreeName(name, machine)
    const from = machine.paths
    const to = this.library.paths.machine(name)
    await move(from.root, to.root)
    try {
      await writeJsonAtomic(to.definition, { ...machine.definition, name })
    } catch (error) {
      await move(to.root, from.root)
      throw error
    }
    machine.paths = to
    machine.redefine({ ...machine.definition, name })
  }

  /** Into the trash. */
  async remove(machine: ManagedMachine): Promise<{ trashId: string; name: string }> {
    requireState(machine.name, machine.state, ['created', 'stopped', 'crashed'], 'deleted')
    machine.requireUnreserved()
    if (await isLocked(machine.paths.lock)) throw failure('in-use', `“${machine.name}” is run by another process.`, { what: `machine ${machine.name}` })
    const trashId = `${Date.now().toString(36)}-${randomBytes(3).toString('hex')}`
    const unfinished = await this.library.unfinished()
    await writeJsonAtomic(`${unfinished}/removed.json`, { schemaVersion: 1, name: machine.name, removedAtMs: Date.now() })
    const trashed = this.library.paths.trashed(trashId)
    await move(unfinished, trashed.root)
    await move(machine.paths.root, trashed.machine)
    this.machines.delete(machine.definition.id)
    this.trashed.set(trashId, machine.definition)
    this.options.onDidRemove(machine.definition.id)
    return { trashId, name: machine.name }
  }

  async listRemoved(): Promise<{ trashId: string; name: string; removedAtMs: number; diskBytes: number }[]> {
    const found = await Promise.all((await listFolder(this.library.paths.trash)).map((trashId) => this.readRemoved(trashId)))
    return found.filter((entry) => entry !== null).sort((a, b) => b.removedAtMs - a.removedAtMs)
  }

  /** @param reference trash id, or the name it had (the latest removed of that name) */
  async restoreRemoved(reference: string): Promise<ManagedMachine> {
    const removed = (await this.listRemoved()).find((entry) => entry.trashId === reference || entry.name === reference)
    if (!removed) throw failure('not-found', `There is no deleted machine “${reference}”.`, { what: 'deleted machine', name: reference })
    const trashed = this.library.paths.trashed(removed.trashId)
    const definition = await readJson(machinePaths(trashed.machine).definition, MachineDefinition)
    const machine = await this.add(definition, trashed.machine)
    this.trashed.delete(removed.trashId)
    await removeTree(trashed.root)
    return machine
  }

  /** For good. @returns what that gave back, in bytes */
  async emptyTrash(trashId?: string): Promise<number> {
    const removed = (await this.listRemoved()).filter((entry) => trashId === undefined || entry.trashId === trashId)
    if (trashId !== undefined && removed.length === 0) {
      throw failure('not-found', `There is no deleted machine “${trashId}”.`, { what: 'deleted machine', name: trashId })
    }
    for (const entry of removed) {
      await removeTree(this.library.paths.trashed(entry.trashId).root)
      this.trashed.delete(entry.trashId)
    }
    return removed.reduce((bytes, entry) => bytes + entry.diskBytes, 0)
  }

  /** Ends a QEMU whose monitor is out of reach. */
  async endUnreachable(machine: ManagedMachine): Promise<void> {
    const record = await readRunRecord(machine.paths.run)
    if (recordedProcessLives(record)) signalProcess(record.pid, record.startTicks, 'SIGKILL')
    const ended = await describeExit({ exitCode: null, signal: 'SIGKILL', shutdown: null, forced: true }, machine.paths.qemuLog)
    await machine.noteExit({ startedAtMs: record.startedAtMs, ...ended })
  }

  /** The switches of isolated networks that no machine uses now are ended. */
  async endUnusedSwitches(of: ManagedMachine): Promise<void> {
    const used = new Set(this.all().filter((machine) => !isOff(machine.state)).flatMap(isolatedNetworks))
    for (const name of isolatedNetworks(of)) if (!used.has(name)) await endSwitch(this.library.runtime.network(name))
  }

  release(): void {
    for (const machine of this.all()) machine.release()
  }

  private manage(definition: MachineDefinition): ManagedMachine {
    let wasOff = true
    const machine = new ManagedMachine(definition, this.library.paths.machine(definition.name), this.options.defaultAccelerator, (changed) => {
      if (!wasOff && isOff(changed.state)) {
        const ended = this.endUnusedSwitches(changed).catch(() => {}) // ended with the next one
        this.tidied = Promise.all([this.tidied, ended])
      }
      wasOff = isOff(changed.state)
      this.options.onDidChange(changed.view())
    })
    this.machines.set(definition.id, machine)
    return machine
  }

  private async loadOne(name: string): Promise<void> {
    const paths = this.library.paths.machine(name)
    try {
      const definition = await readJson(paths.definition, MachineDefinition)
      const checked = Name.safeParse(name)
      if (!checked.success) throw failure('bad-file', `“${name}” is not a machine’s name.`, { path: paths.root })
      if (this.machines.has(definition.id)) throw failure('bad-file', `“${name}” is a copy of another machine: both have the id ${definition.id}.`, { path: paths.root })
      const machine = this.manage({ ...definition, name: checked.data })
      await machine.measureDisks()
      const ended = await this.recallExit(machine)
      if (await exists(paths.run)) await this.findAgain(machine, ended)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      this.broken.set(name, error.message)
    }
  }

  /** The state of a machine that is off is how it ended. */
  private async recallExit(machine: ManagedMachine): Promise<ExitRecord | null> {
    const ended = await readExitRecord(machine.paths.exit)
    if (ended) machine.apply({ kind: 'exited', exit: ended.exit, expected: ended.expected })
    return ended
  }

  /** A machine that was running when the last owner ended: it still runs, or it has ended meanwhile. */
  private async findAgain(machine: ManagedMachine, ended: ExitRecord | null): Promise<void> {
    const record = await readRunRecord(machine.paths.run).catch(() => null) // cut off while it was written: QEMU was then ended
    if (!record) return removeFile(machine.paths.run)
    if (recordedProcessLives(record)) {
      const qemu = await adoptQemu(record)
      if (qemu && (await isAttached(machine, qemu))) return
      if (!(await endsSoon(record))) return machine.apply({ kind: 'unreachable', pid: record.pid, message: 'QEMU runs, but its monitor does not answer.' })
      if (qemu) return machine.whenOff // what was attached tells how it ended
    }
    // The last owner saw it end, and was itself ended before it had tidied up.
    if (ended?.startedAtMs === record.startedAtMs) return removeFile(machine.paths.run)
    // QEMU removes its pid file when it ends in good order.
    const orderly = !(await exists(`${record.runtimeFolder}/qemu.pid`))
    const facts = { exitCode: null, signal: null, shutdown: orderly ? 'guest-shutdown' : null, forced: false }
    const { exit, expected } = await describeExit(facts, machine.paths.qemuLog)
    const reason = orderly ? 'It powered off while Strata was not running.' : 'QEMU ended without good order while Strata was not running.'
    await machine.noteExit({ startedAtMs: record.startedAtMs, exit: { ...exit, reason }, expected })
  }

  private async loadTrash(): Promise<void> {
    for (const trashId of await listFolder(this.library.paths.trash)) {
      const definition = await readJson(machinePaths(this.library.paths.trashed(trashId).machine).definition, MachineDefinition).catch(() => null) // not one of ours
      if (definition) this.trashed.set(trashId, definition)
    }
  }

  private async readRemoved(trashId: string): Promise<{ trashId: string; name: string; removedAtMs: number; diskBytes: number } | null> {
    const trashed = this.library.paths.trashed(trashId)
    try {
      const { name, removedAtMs } = await readJson(trashed.record, Removed)
      if (!(await exists(trashed.machine))) return null // cut off while it was made, or restored
      return { trashId, name, removedAtMs, diskBytes: await allocatedBytes(trashed.machine) }
    } catch {
      return null // not one of ours
    }
  }
}

/** Ids of the images that a machine stands on. */
const imagesOf = ({ disks, cdroms }: MachineDefinition): string[] => [
  ...disks.flatMap((disk) => (disk.image ? [disk.image.imageId] : [])),
  ...cdroms.map((cdrom) => cdrom.imageId)
]

function isolatedNetworks(machine: ManagedMachine): string[] {
  return machine.definition.nics.flatMap((nic) => (nic.network.kind === 'isolated' ? [nic.network.name] : []))
}

function brokenView(name: string, message: string, accelerator: Accelerator): Machine {
  return { definition: null, id: `broken:${name}`, name, state: { kind: 'broken', message }, pending: [], accelerator, agent: null, diskBytes: 0 }
}

/** Takes charge of a QEMU found running. @returns false when it is gone before it has answered */
async function isAttached(machine: ManagedMachine, qemu: Qemu): Promise<boolean> {
  try {
    await machine.attach(qemu)
    return true
  } catch (error) {
    if (error instanceof Failure && error.error.code === 'connection-lost') return false
    throw error
  }
}

/** A QEMU without a monitor may be about to end, as one that was killed together with the last owner: giving its memory back takes it a moment. */
async function endsSoon({ pid, startTicks }: RunRecord): Promise<boolean> {
  const over = new AbortController()
  try {
    const overdue = delay(ENDING_MS, false, { signal: over.signal }).catch(() => false) // it ended first
    return await Promise.race([processGone(pid, startTicks, over.signal).then(() => true), overdue])
  } finally {
    over.abort()
  }
}
