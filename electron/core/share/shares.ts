import { failure, type DiskContent, type Share, type ShareRecord } from '#contract'
import type { Library } from '../library/library'
import type { ManagedMachine } from '../machine/machine'
import type { Machines } from '../machine/machines'
import type { Work } from '../task/work'
import { Cluster } from './cluster'
import { diskContents } from './contents'
import { Members, type Attaching, type TakingOff } from './members'
import { OwnerWatch } from './owner'
import { mayWrite } from './plan'
import { requireHarmless, type Sharing } from './possible'
import { withDiskReader } from './read-disk'
import { deleteShare, loadShares, newShareId, saveShare } from './record'
import { ManagedShare } from './share'
import { versionsIn } from './versions'

export interface SharesOptions {
  onDidChange: (share: Share) => void
  onDidRemove: (id: string) => void
}

interface Creating extends Sharing {
  to: ManagedMachine[]
  /** In mode `cluster`: where every guest is to have the file system; null: what is on the disk is up to the guests. */
  folder: string | null
  holdSeconds: number | null
  writeThrough: boolean
}
/** The shared disks of the library. */
export class Shares {
  private readonly shares = new Map<string, ManagedShare>()
  /** Those whose file cannot be used. */
  private broken: Share[] = []
  private readonly watch = new OwnerWatch()
  readonly cluster: Cluster
  readonly members: Members

  constructor(
    private readonly library: Library,
    private readonly machines: Machines,
    private readonly options: SharesOptions
  ) {
    this.cluster = new Cluster(library, () => this.all(), async (share) => share.owner !== null && isEmpty(await this.contents(share.owner, share.record.disk)))
    this.members = new Members(machines, this.cluster, () => this.all())
  }

  /** Reads every share and takes charge of what serves them. The machines are loaded before. */
  async load(): Promise<void> {
    const { records, broken } = await loadShares(this.library.paths)
    for (const record of records) this.manage(record)
    this.broken = broken
    await Promise.all(this.all().map((share) => share.recall()))
    for (const share of this.all()) for (const machine of [share.owner, ...share.clients]) if (machine) this.cluster.noteMachine(share, machine)
    this.cluster.endUnused()
  }

  list(): Share[] {
    return [...this.broken, ...this.all().map((share) => share.view())].sort((a, b) => a.createdAtMs - b.createdAtMs)
  }

  /** By id, or by the disk: `lab1:disk0`; `lab1` alone when one of its disks is shared. @throws not-found, bad-file */
  get(reference: string): ManagedShare {
    const name = reference.normalize('NFC')
    const found = this.shares.get(name) ?? this.all().find((share) => share.label === name) ?? onlyOne(this.all().filter((share) => share.owner?.name === name))
    if (found) return found
    const broken = this.broken.find(({ id }) => id === name)
    if (broken?.server.kind === 'broken') throw failure('bad-file', broken.server.message, { path: this.library.paths.share(name), next: 'Put the file right, or delete it, and open the library again.' })
    throw failure('not-found', `“${reference}” is not shared.`, { what: 'share', name: reference, next: 'See the list of shares.' })
  }

  /** @throws not-found, already-exists, and what `requirePossible` throws, before anything is made */
  async create(given: Creating & Attaching, work: Work): Promise<Share> {
    const { machine, disk, mode, to, holdSeconds, writeThrough } = given
    const shared = this.of(machine, disk)
    if (shared) throw failure('already-exists', `${shared.label} is shared already.`, { what: 'share', name: shared.label, next: 'Attach it to more machines: share attach.' })
    const record: ShareRecord = { schemaVersion: 1, id: newShareId(), machineId: machine.definition.id, disk, mode, writer: null, published: null, cluster: null, holdSeconds, writeThrough, createdAtMs: Date.now(), clients: [] }
    await requireHarmless(given, () => this.contents(machine, disk))
    const folder = mode === 'cluster' && given.folder !== null && isForCluster(await this.contents(machine, disk)) ? given.folder : null
    for (const client of to) this.members.requirePossible(record, client, folder !== null)
    await saveShare(this.library.paths, record)
    const share = this.manage(record)
    work.onUndo(async () => {
      if (share.record.clients.length === 0) await this.forget(share) // a guest that has not let go of it keeps it
    })
    await share.level()
    for (const client of new Set(to)) await this.members.attach(share, client, given, work)
    if (folder !== null) await this.cluster.add(share, [machine, ...to], folder, work)
    return share.view()
  }

  /** What lies on a disk, by its marks. @throws not-found */
  async contents(machine: ManagedMachine, diskId: string): Promise<DiskContent[]> {
    const disk = machine.definition.disks.find(({ id }) => id === diskId)!
    return withDiskReader(this.library, machine, disk, this.of(machine, diskId)?.openedBy ?? null, diskContents)
  }

  /** @throws in-use, time-out (a guest keeps it; those before it have let go) */
  async remove(share: ManagedShare, options: TakingOff, work: Work): Promise<void> {
    for (const client of share.clients) await this.members.detach(share, client, options, work)
    if (share.record.cluster && share.owner) await this.cluster.leave(share, share.owner, options.timeoutSeconds)
    await this.forget(share)
  }

  /** Whether another machine writes to a disk of this one, which then may only read it. */
  readsItsOwn(owner: ManagedMachine): boolean {
    return this.ownedBy(owner).some(({ record }) => !mayWrite(record, record.machineId))
  }

  /** Before its first instruction QEMU is told what a machine may not write to. @throws wrong-state */
  async guard(owner: ManagedMachine): Promise<void> {
    for (const share of this.ownedBy(owner)) if (!mayWrite(share.record, share.record.machineId)) await share.requireGuarded()
  }

  /** Takes what is served from a machine that is about to end, so that its clients lose nothing. */
  async ownerEnds(owner: ManagedMachine): Promise<void> {
    await Promise.all(this.ownedBy(owner).map((share) => share.ownerEnds()))
  }

  /** Its guest has powered off, and its QEMU is there for its clients alone. */
  private async endOwner(owner: ManagedMachine): Promise<void> {
    await this.ownerEnds(owner)
    await owner.present?.qmp.execute('quit').catch(() => {}) // it ends before it answers, or has ended by itself
  }

  /** Keeps storage daemons from a machine's files, while it is started. */
  async occupyAll(owner: ManagedMachine): Promise<() => void> {
    const releases = await Promise.all(this.ownedBy(owner).map((share) => share.occupy()))
    return () => releases.forEach((release) => release())
  }

  /** Keeps the storage daemon from a disk's files while something is done to them. @throws in-use when it serves them */
  async occupy(owner: ManagedMachine, disk: string): Promise<() => void> {
    const share = this.of(owner, disk)
    if (!share) return () => {}
    if (!share.openedBy) return share.occupy()
    const clients = share.runningClients.map(({ name }) => `“${name}”`).join(', ')
    throw failure('in-use', `${share.label} is being used by ${clients}, with which it is shared.`, {
      what: share.label,
      holder: clients,
      next: `Stop them, or detach it from them; or start “${owner.name}”, and do it then.`
    })
  }

  /** @param disk null: any of the machine's @throws in-use, naming the clients */
  requireUnshared(owner: ManagedMachine, disk: string | null, verb: string): void {
    const share = this.ownedBy(owner).find(({ record }) => disk === null || record.disk === disk)
    if (!share) return
    const clients = share.clients.map(({ name }) => `“${name}”`).join(', ')
    throw failure('in-use', `${share.label} is shared with ${clients || 'other machines'}, and cannot be ${verb}.`, {
      what: share.label,
      ...(clients === '' ? {} : { holder: clients }),
      next: `End the share first: strata share remove ${share.label}`
    })
  }

  /** The machines that a disk is shared with. */
  clientsOf(owner: ManagedMachine, disk: string): ManagedMachine[] {
    return this.of(owner, disk)?.clients ?? []
  }

  /** Commits of a disk that readers have, or are to get: they are to stay as they are. */
  versionsOf(owner: ManagedMachine, disk: string): ReadonlySet<number> {
    const share = this.of(owner, disk)
    return share ? versionsIn(share.record) : new Set()
  }

  /** A machine has changed: who serves may have to change too. */
  noteMachine(machineId: string): void {
    for (const share of this.all()) {
      if (share.record.machineId !== machineId && !share.record.clients.some((client) => client.machineId === machineId)) continue
      void share.level()
      const machine = this.machines.all().find(({ definition }) => definition.id === machineId)
      if (machine) this.cluster.noteMachine(share, machine)
    }
  }

  async release(): Promise<void> {
    await Promise.all([this.cluster.release(), ...this.all().map((share) => share.release())])
  }

  private all(): ManagedShare[] {
    return [...this.shares.values()]
  }
  private ownedBy(owner: ManagedMachine): ManagedShare[] {
    return this.all().filter(({ record }) => record.machineId === owner.definition.id)
  }
  private of(owner: ManagedMachine, disk: string): ManagedShare | undefined {
    return this.ownedBy(owner).find(({ record }) => record.disk === disk)
  }

  private manage(record: ShareRecord): ManagedShare {
    const { library, machines, watch, options } = this
    const share = new ManagedShare(record, { library, machines, watch, ...options, cluster: (one) => this.cluster.view(one), onOwnerEnds: (owner) => void this.endOwner(owner), onServerAnew: (owner) => this.noteMachine(owner.definition.id) })
    this.shares.set(record.id, share)
    return share
  }

  private async forget(share: ManagedShare): Promise<void> {
    await share.save({ ...share.record, writer: null, published: null, cluster: null, clients: [] })
    await share.end()
    await deleteShare(this.library.paths, share.record.id)
    this.shares.delete(share.record.id)
    this.cluster.endUnused()
    this.options.onDidRemove(share.record.id)
  }
}

const isEmpty = (contents: readonly DiskContent[]): boolean => contents.every(({ kind }) => kind === 'nothing')
/** Empty, or with the file system that Strata makes. */
const isForCluster = (contents: readonly DiskContent[]): boolean => contents.every(({ partition, kind }) => partition === null && (kind === 'nothing' || kind === 'OCFS2'))
const onlyOne = <T>(found: T[]): T | undefined => (found.length === 1 ? found[0] : undefined)
