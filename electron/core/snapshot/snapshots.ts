import { failure, Failure, SnapshotRecord, type Host, type Snapshot } from '#contract'
import { exists, fileFacts, linkedBytes, listFolder, move, readJson, removeTree, writeJsonAtomic } from '../host/files'
import type { Library } from '../library/library'
import type { SnapshotPaths } from '../library/paths'
import { DEVICE_LAYOUT } from '../machine/command-line'
import type { Machines } from '../machine/machines'

export interface SnapshotsOptions {
  host: () => Host
  onDidChange: (snapshot: Snapshot) => void
  onDidRemove: (id: string) => void
}

/** All snapshots of the library: `snapshots/<id>/`, each whole, as it gets that name last. */
export class Snapshots {
  private readonly snapshots = new Map<string, SnapshotRecord>()
  /** Whose memory file is being used right now, by how many. */
  private readonly held = new Map<string, number>()
  /** Those of them that machines are being made of, or that are being written into a file: they cannot go meanwhile. */
  private readonly needed = new Map<string, number>()
  /** When it was used last, since the library was opened. */
  private readonly used = new Map<string, number>()
  private readonly timers = new Map<string, NodeJS.Timeout>()

  constructor(
    private readonly library: Library,
    private readonly machines: Machines,
    private readonly options: SnapshotsOptions
  ) {}

  /** Reads every snapshot. A folder that cannot be read as one is left as it is, and not listed. */
  async load(): Promise<void> {
    await Promise.all(
      (await listFolder(this.library.paths.snapshots)).map(async (id) => {
        try {
          const record = await readJson(this.library.paths.snapshot(id).record, SnapshotRecord)
          if (record.id === id) this.snapshots.set(id, record)
        } catch (error) {
          if (!(error instanceof Failure)) throw error
        }
      })
    )
  }

  /** Oldest first. */
  all(): SnapshotRecord[] {
    return [...this.snapshots.values()].sort((a, b) => a.takenAtMs - b.takenAtMs)
  }

  /** By id, or by name: the latest of that name. @throws not-found */
  get(reference: string): SnapshotRecord {
    const name = reference.normalize('NFC')
    const found = this.snapshots.get(reference) ?? this.all().findLast((snapshot) => snapshot.name === name)
    if (found) return found
    throw failure('not-found', `There is no snapshot “${reference}”.`, { what: 'snapshot', name: reference, next: 'See the list of snapshots.' })
  }

  /** Keeps the memory file where it is until the answer is called. */
  hold(id: string): () => void {
    this.held.set(id, (this.held.get(id) ?? 0) + 1)
    this.used.set(id, Date.now())
    return () => void this.held.set(id, (this.held.get(id) ?? 1) - 1)
  }

  /** The same, and the snapshot cannot be removed until then. */
  need(id: string): () => void {
    const release = this.hold(id)
    this.needed.set(id, (this.needed.get(id) ?? 0) + 1)
    return () => {
      release()
      this.needed.set(id, (this.needed.get(id) ?? 1) - 1)
    }
  }

  isNeeded(id: string): boolean {
    return (this.needed.get(id) ?? 0) > 0
  }

  isHeld(id: string): boolean {
    return (this.held.get(id) ?? 0) > 0
  }

  usedAtMs({ id, takenAtMs }: SnapshotRecord): number {
    return this.used.get(id) ?? takenAtMs
  }

  /** Does something about a snapshot later, unless the library is closed before. */
  later(id: string, delayMs: number, act: () => void): void {
    clearTimeout(this.timers.get(id))
    const timer = setTimeout(() => {
      this.timers.delete(id)
      act()
    }, delayMs)
    this.timers.set(id, timer.unref())
  }

  /** The library is given up. */
  release(): void {
    for (const timer of this.timers.values()) clearTimeout(timer)
    this.timers.clear()
  }

  has(id: string | undefined): id is string {
    return id !== undefined && this.snapshots.has(id)
  }

  paths(id: string): SnapshotPaths {
    return this.library.paths.snapshot(id)
  }

  /** A finished folder becomes a snapshot. */
  async add(record: SnapshotRecord, folder: string): Promise<void> {
    await move(folder, this.paths(record.id).root)
    this.snapshots.set(record.id, record)
  }

  async change(record: SnapshotRecord): Promise<Snapshot> {
    await writeJsonAtomic(this.paths(record.id).record, record)
    this.snapshots.set(record.id, record)
    return this.tell(record)
  }

  /** For good. Those taken after it stand on what it stood on. @returns what that gave back, in bytes */
  async remove(record: SnapshotRecord): Promise<number> {
    const { own } = await linkedBytes(this.paths(record.id).root)
    const unfinished = await this.library.unfinished()
    await move(this.paths(record.id).root, `${unfinished}/snapshot`) // a removal that is cut off is finished at the next opening
    this.snapshots.delete(record.id)
    this.options.onDidRemove(record.id)
    for (const child of this.all().filter((one) => one.parentId === record.id)) await this.change({ ...child, parentId: record.parentId })
    for (const machine of this.machines.all().filter((one) => one.definition.snapshot === record.id)) {
      const { snapshot: _gone, ...rest } = machine.definition
      await this.machines.redefine(machine, record.parentId === null ? rest : { ...rest, snapshot: record.parentId })
    }
    await removeTree(unfinished)
    return own
  }

  /** Pushes how a snapshot is now to every face. */
  async tell(record: SnapshotRecord): Promise<Snapshot> {
    const view = await this.view(record)
    this.options.onDidChange(view)
    return view
  }

  async view(record: SnapshotRecord): Promise<Snapshot> {
    const { definition, memory, archive, ...rest } = record
    const { own, shared } = await linkedBytes(this.paths(record.id).root)
    return {
      ...rest,
      cpus: definition.cpus,
      memoryBytes: definition.memoryBytes,
      disks: definition.disks.length,
      method: memory?.method ?? null,
      stallMs: memory?.stallMs ?? null,
      ownBytes: own,
      sharedBytes: shared,
      here: this.machines.all().filter((machine) => machine.definition.snapshot === record.id).map((machine) => machine.name),
      archivedAtMs: archive?.atMs ?? null,
      ready: !archive || (await exists(this.paths(record.id).ram)),
      problem: loadProblem(record, this.options.host())
    }
  }

  /** Those that stand on an image of the library, in words. */
  usersOfImage(imageId: string): string[] {
    const users = this.all().filter(({ definition: { disks, cdroms } }) => disks.some((disk) => disk.image?.imageId === imageId) || cdroms.some((cdrom) => cdrom.imageId === imageId))
    return users.map((snapshot) => `${snapshot.name} (snapshot of ${snapshot.machine})`)
  }

  /** Throws when the memory of a snapshot is not as it was written. @throws not-found, bad-file */
  async verifyMemory(record: SnapshotRecord): Promise<void> {
    if (!record.memory) return
    const { ram, root } = this.paths(record.id)
    const { sizeBytes, modifiedAtMs } = await fileFacts(ram)
    if (sizeBytes === record.memory.ram.sizeBytes && modifiedAtMs === record.memory.ram.modifiedAtMs) return
    throw failure('bad-file', `The memory of the snapshot “${record.name}” was changed after it was taken.`, { path: root, next: 'It cannot be used any more: restore another one.' })
  }
}

/** Why QEMU here cannot load what a snapshot holds; null when it can, as far as that can be told before. */
export function loadProblem({ memory, definition }: SnapshotRecord, host: Host): string | null {
  if (!memory) return null
  if (!host.qemu) return 'QEMU is not installed'
  if (memory.deviceLayout !== DEVICE_LAYOUT) return 'it was taken by another version of Strata, which gave machines other devices'
  if (olderThan(host.qemu.version, memory.qemuVersion)) return `it was taken with QEMU ${memory.qemuVersion}, and this is ${host.qemu.version}`
  if (!host.qemu.machineTypes.some((type) => type.name === memory.machineType)) return `QEMU ${host.qemu.version} no longer has the machine type ${memory.machineType}`
  const accelerator = definition.accelerator === 'auto' ? host.accelerator : definition.accelerator
  if (accelerator !== memory.accelerator) return `it was taken with ${memory.accelerator.toUpperCase()}, and machines run on ${accelerator.toUpperCase()} here`
  return null
}

function olderThan(here: string, then: string): boolean {
  const [a, b] = [here, then].map((version) => version.split('.').map(Number))
  return a![0]! < b![0]! || (a![0] === b![0] && a![1]! < b![1]!)
}
