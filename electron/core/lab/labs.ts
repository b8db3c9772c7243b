import { failure, Failure, LabRecord, type Lab } from '#contract'
import { listFolder, readJson, removeFile, writeJsonAtomic } from '../host/files'
import type { Library } from '../library/library'
import type { Machines } from '../machine/machines'
import type { Snapshots } from '../snapshot/snapshots'

export interface LabsOptions {
  onDidChange: (lab: Lab) => void
  onDidRemove: (id: string) => void
}

/** The class labs of the library: one file each, which says what belongs together. The machines are machines like all others. */
export class Labs {
  private readonly labs = new Map<string, LabRecord>()
  private last: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly library: Library,
    private readonly machines: Machines,
    private readonly snapshots: Snapshots,
    private readonly options: LabsOptions
  ) {}

  /** Reads every lab. A file that cannot be read is left as it is, and not listed: its machines are there all the same. */
  async load(): Promise<void> {
    const { labs, lab } = this.library.paths
    await Promise.all(
      (await listFolder(labs)).map(async (file) => {
        try {
          const record = await readJson(lab(file.replace(/\.json$/, '')), LabRecord)
          this.labs.set(record.id, record)
        } catch (error) {
          if (!(error instanceof Failure)) throw error
        }
      })
    )
  }

  /** Oldest first. */
  all(): LabRecord[] {
    return [...this.labs.values()].sort((a, b) => a.createdAtMs - b.createdAtMs)
  }

  /** By id or name. @throws not-found */
  get(reference: string): LabRecord {
    const name = reference.normalize('NFC')
    const found = this.labs.get(reference) ?? this.all().findLast((lab) => lab.name === name)
    if (found) return found
    throw failure('not-found', `There is no class lab “${reference}”.`, { what: 'lab', name: reference, next: 'See the list of labs.' })
  }

  /** @throws already-exists */
  requireFreeName(name: string): void {
    const same = this.all().find((lab) => lab.name.toLocaleLowerCase() === name.toLocaleLowerCase())
    if (same) throw failure('already-exists', `There is already a class lab “${same.name}”.`, { what: 'lab', name, next: 'Choose another name.' })
  }

  async add(record: LabRecord): Promise<Lab> {
    await writeJsonAtomic(this.library.paths.lab(record.id), record)
    this.labs.set(record.id, record)
    return this.tell(record)
  }

  /** One change after the other: machines of a lab are made anew side by side. */
  change(id: string, change: (record: LabRecord) => LabRecord): Promise<Lab> {
    const mine = this.last.then(() => this.add(change(this.get(id))))
    this.last = mine.catch(() => {}) // told to whoever asked for it
    return mine
  }

  async forget({ id }: LabRecord): Promise<void> {
    await removeFile(this.library.paths.lab(id))
    this.labs.delete(id)
    this.options.onDidRemove(id)
  }

  /** A machine of a lab was deleted, so that its place is empty. */
  noteRemoved(machineId: string): void {
    for (const lab of this.all()) if (lab.machines.some((place) => place.machineId === machineId)) this.tell(lab)
  }

  /** The labs that are made from a snapshot. */
  of(snapshotId: string): LabRecord[] {
    return this.all().filter((lab) => lab.snapshotId === snapshotId)
  }

  view({ snapshotId, ...record }: LabRecord): Lab {
    const snapshot = this.snapshots.has(snapshotId) ? this.snapshots.get(snapshotId) : null
    const byId = new Map(this.machines.all().map((machine) => [machine.definition.id, machine]))
    return {
      ...record,
      snapshot: snapshot && { id: snapshot.id, name: snapshot.name, machine: snapshot.machine },
      machines: record.machines.map(({ name, machineId }) => {
        const machine = byId.get(machineId)
        return { name: machine?.name ?? name, machineId, state: machine?.state.kind ?? null }
      })
    }
  }

  private tell(record: LabRecord): Lab {
    const view = this.view(record)
    this.options.onDidChange(view)
    return view
  }
}
