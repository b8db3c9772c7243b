import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Failure, type Host, type MachineDefinition, type SnapshotRecord } from '#contract'
import { withOverlay } from '../disk/stack'
import { exists, listFolder, removeTree } from '../host/files'
import { processOfPidFile, signalProcess } from '../host/process'
import type { Library } from '../library/library'
import { STANDBY_PREFIX } from '../library/paths'
import { launchContext } from '../machine/launch-context'
import type { ManagedMachine } from '../machine/machine'
import { readRunRecord } from '../machine/run-record'
import { processGone } from '../machine/qemu'
import { startStandby, type StandbyQemu } from '../machine/standby-qemu'
import { loadProblem, type Snapshots } from './snapshots'

/** Each takes some 20 MB. */
const MOST = 2
const IDLE_MS = 10 * 60_000
/** After a restore the guest has the processors to itself first. */
const SOON_MS = 3_000
const SPARE_BYTES = 512 * 2 ** 20

interface Entry {
  snapshotId: string
  /** Null when it could not be started. */
  standby: Promise<StandbyQemu | null>
  idle: NodeJS.Timeout
}

/**
 * QEMUs that stand by, one a machine, so that going back to a snapshot does not wait for QEMU's own start.
 *
 *           prepare              it answers             take
 *   none ─────────────> starting ──────────> standing by ─────> the machine runs in it
 *     ^                    │ it fails             │
 *     └────────────────────┴──────────────────────┴── end: for another snapshot, the snapshot or the machine goes, ten minutes pass,
 *                                                     two others are there, the library is closed
 *
 * They are a matter of speed alone: whatever keeps one from being made or used, the machine is started as ever. One that outlives its owner is ended at the
 * next opening, as no record of a machine names its folder.
 */
export class Standbys {
  /** By machine id, the one that is longest there first. */
  private readonly entries = new Map<string, Entry>()
  private readonly timers = new Set<NodeJS.Timeout>()
  /** Folders of those that were taken and have ended since: they go when the next one is started. */
  private readonly spent = new Set<string>()
  private closed = false

  constructor(
    private readonly library: Library,
    private readonly snapshots: Snapshots,
    private readonly host: () => Host
  ) {}

  /** At the opening of a library: ends those that an owner before has left. */
  async tidy(): Promise<void> {
    const { root } = this.library.runtime
    const { machines, machine } = this.library.paths
    const records = (await listFolder(machines)).map((name) => readRunRecord(machine(name).run).catch(() => null)) // it is off, or no machine of ours
    const inUse = new Set((await Promise.all(records)).map((record) => record?.runtimeFolder))
    for (const name of await listFolder(root)) {
      const key = name.startsWith(STANDBY_PREFIX) ? name.slice(STANDBY_PREFIX.length) : null
      if (key === null || inUse.has(join(root, name))) continue
      const left = processOfPidFile(this.library.runtime.standby(key).pid)
      if (left) {
        signalProcess(left.pid, left.startTicks, 'SIGKILL')
        await processGone(left.pid, left.startTicks)
      }
      await removeTree(join(root, name))
    }
  }

  /**
   * Has a QEMU stand by for going back to a snapshot.
   * @returns why none can; null when it does. What fails is no failure of the caller's
   */
  async prepare(machine: ManagedMachine, record: SnapshotRecord): Promise<string | null> {
    const { id } = machine.definition
    const reason = await this.whyNot(machine, record)
    if (reason !== null) return reason
    const there = this.entries.get(id)
    if (there?.snapshotId === record.id && (await there.standby)) {
      there.idle.refresh()
      return null
    }
    if (this.closed) return 'the library is being closed'
    this.end(id)
    for (const oldest of [...this.entries.keys()].slice(0, Math.max(0, this.entries.size - MOST + 1))) this.end(oldest)
    const standby = this.start(machine, record)
    const entry: Entry = { snapshotId: record.id, standby, idle: setTimeout(() => this.end(id), IDLE_MS).unref() }
    this.entries.set(id, entry)
    const started = await standby
    void started?.exited.then(() => this.entries.get(id) === entry && this.end(id))
    return started ? null : 'QEMU did not start'
  }

  /** The same in a moment, when the guest that was just restored has settled. */
  prepareSoon(machine: ManagedMachine, record: SnapshotRecord): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer)
      void this.prepare(machine, record)
    }, SOON_MS)
    this.timers.add(timer.unref())
  }

  /** The one for this machine and snapshot, if there is one; it is the caller's from then on. */
  async take(machine: ManagedMachine, record: SnapshotRecord): Promise<StandbyQemu | null> {
    const { id } = machine.definition
    const entry = this.entries.get(id)
    if (entry?.snapshotId !== record.id) return null
    this.entries.delete(id)
    clearTimeout(entry.idle)
    const standby = await entry.standby
    void standby?.exited.then(() => this.spent.add(standby.folder))
    return standby
  }

  /** Ends the one of a machine. */
  end(machineId: string): void {
    void this.ended(machineId)
  }

  /** Ends those that stand on a snapshot: its memory file is not open in them any more then. */
  async endFor(snapshotId: string): Promise<void> {
    await Promise.all([...this.entries].flatMap(([id, entry]) => (entry.snapshotId === snapshotId ? [this.ended(id)] : [])))
  }

  /** The library is given up. */
  async release(): Promise<void> {
    this.closed = true
    for (const timer of this.timers) clearTimeout(timer)
    await Promise.all([...this.entries.keys()].map((id) => this.ended(id)))
  }

  private async ended(machineId: string): Promise<void> {
    const entry = this.entries.get(machineId)
    if (!entry) return
    this.entries.delete(machineId)
    clearTimeout(entry.idle)
    const standby = await entry.standby
    await standby?.end()
    if (standby) await removeTree(standby.folder)
  }

  private async start(machine: ManagedMachine, record: SnapshotRecord): Promise<StandbyQemu | null> {
    const runtime = this.library.runtime.standby(randomBytes(3).toString('hex'))
    const paths = this.snapshots.paths(record.id)
    const { machineType, plugged } = record.memory!
    const definition = definitionAfter(machine, record)
    try {
      for (const folder of [...this.spent]) {
        this.spent.delete(folder)
        await removeTree(folder)
      }
      await this.snapshots.verifyMemory(record)
      const launch = await launchContext({ definition, paths: machine.paths }, this.library, this.host(), true)
      return await startStandby(definition, { ...launch, runtime, incoming: { ram: paths.ram, devices: paths.devices, machineType, plugged, deferred: true } })
    } catch (error) {
      await removeTree(runtime.root)
      if (error instanceof Failure) return null
      throw error
    }
  }

  /** Why no QEMU can stand by for this beside the machine that runs, in words. */
  private async whyNot(machine: ManagedMachine, record: SnapshotRecord): Promise<string | null> {
    const { definition, memory } = record
    if (!memory) return 'the machine was off, so nothing has to be loaded'
    const problem = loadProblem(record, this.host())
    if (problem !== null) return problem
    if (record.machineId !== machine.definition.id) return 'it is of another machine'
    if (definition.firmware === 'uefi') return 'the variables of its firmware are exchanged with it'
    if (definition.sharedMemory) return 'its memory is copied first, as others map it'
    if (definition.nics.some(({ network, forwards }) => network.kind !== 'user' || forwards.length > 0)) return 'its ports and networks are in use as long as it runs'
    if (!(await exists(this.snapshots.paths(record.id).ram))) return 'its memory is in the store'
    if (this.host().memory.availableBytes < SPARE_BYTES) return 'the computer is short of memory'
    return null
  }
}

/** The machine as it will be, as far as QEMU's arguments depend on it: its disks get an empty layer each. */
function definitionAfter({ definition: { id, name } }: ManagedMachine, { definition }: SnapshotRecord): MachineDefinition {
  return { ...definition, id, name, disks: definition.disks.map((disk) => withOverlay(disk, {}, 0)) }
}
