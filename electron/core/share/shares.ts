import { failure, Failure, type DiskContent, type Share, type ShareRecord } from '#contract'
import type { Library } from '../library/library'
import type { ManagedMachine } from '../machine/machine'
import type { Machines } from '../machine/machines'
import { isLive, isOff } from '../machine/state'
import type { Work } from '../task/work'
import { Cluster } from './cluster'
import { diskContents } from './contents'
import { unmountInGuest } from './guest-disk'
import { OwnerWatch } from './owner'
import { deviceId, mayWrite } from './plan'
import { hasSharedMemory, requireHarmless, requirePossible, type Sharing } from './possible'
import { withDiskReader } from './read-disk'
import { deleteShare, loadShares, newShareId, saveShare } from './record'
import { ManagedShare } from './share'
import { Turns } from './turns'
import { versionsIn } from './versions'

export interface SharesOptions {
  onDidChange: (share: Share) => void
  onDidRemove: (id: string) => void
}

interface Creating extends Sharing {
  to: ManagedMachine[]
  /** In mode `cluster`: where every guest is to have the file system; null: what is on the disk is up to the guests. */
  folder: string | null
}
interface Attaching {
  /** A machine that runs without shareable memory is made to have both at its next start, instead of being refused. */
  nextStart: boolean
}

/** The shared disks of the library. */
export class Shares {
  private readonly shares = new Map<string, ManagedShare>()
  /** Those whose file cannot be used. */
  private broken: Share[] = []
  private readonly watch = new OwnerWatch()
  private readonly standstill = new Turns()
  readonly cluster: Cluster

  constructor(
    private readonly library: Library,
    private readonly machines: Machines,
    private readonly options: SharesOptions
  ) {
    this.cluster = new Cluster(library, () => this.all(), async (share) => share.owner !== null && isEmpty(await this.contents(share.owner, share.record.disk)))
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

  /** @throws not-found, already-exists, and what `attach` throws, before anything is made */
  async create(given: Creating & Attaching, work: Work): Promise<Share> {
    const { machine, disk, mode, to } = given
    const shared = this.of(machine, disk)
    if (shared) throw failure('already-exists', `${shared.label} is shared already.`, { what: 'share', name: shared.label, next: 'Attach it to more machines: share attach.' })
    const record: ShareRecord = { schemaVersion: 1, id: newShareId(), machineId: machine.definition.id, disk, mode, writer: null, published: null, cluster: null, createdAtMs: Date.now(), clients: [] }
    await requireHarmless(given, () => this.contents(machine, disk))
    const folder = mode === 'cluster' && given.folder !== null && isForCluster(await this.contents(machine, disk)) ? given.folder : null
    for (const client of to) this.requirePossible(record, client, given)
    await saveShare(this.library.paths, record)
    const share = this.manage(record)
    work.onUndo(async () => {
      if (share.record.clients.length === 0) await this.forget(share) // a guest that has not let go of it keeps it
    })
    await share.level()
    for (const client of new Set(to)) await this.attach(share, client, given, work)
    if (folder !== null) await this.cluster.add(share, [machine, ...to], folder, work)
    return share.view()
  }

  /** What lies on a disk, by its marks. @throws not-found */
  async contents(machine: ManagedMachine, diskId: string): Promise<DiskContent[]> {
    const disk = machine.definition.disks.find(({ id }) => id === diskId)!
    return withDiskReader(this.library, machine, disk, this.of(machine, diskId)?.openedBy ?? null, diskContents)
  }

  /** Gives a machine the disk: at once when it runs, else at its next start. @throws bad-input, already-exists, unsupported, in-use, wrong-state */
  async attach(share: ManagedShare, client: ManagedMachine, options: Attaching, work: Work): Promise<Share> {
    this.requirePossible(share.record, client, options)
    const release = client.reserve(`${share.label} is being plugged in`)
    try {
      const { id } = client.definition
      if (!client.definition.sharedMemory) {
        await this.machines.redefine(client, { ...client.definition, sharedMemory: true })
        work.log(`“${client.name}” has shareable memory from its next start on.`)
      }
      await share.save({ ...share.record, clients: [...share.record.clients, { machineId: id, addedAtMs: Date.now(), version: null }] })
      work.onUndo(() => this.takeBack(share, client, UNDO_TIMEOUT_SECONDS, new AbortController().signal))
      if (!isLive(client.state)) await share.level()
      else if (hasSharedMemory(client)) await share.plug(client, work.signal)
      else await this.refuse(share, client, LATER)
      if (share.record.cluster) await this.cluster.add(share, [client], share.record.cluster.folder, work)
      return share.view()
    } finally {
      release()
    }
  }

  /** @throws not-found, time-out (the guest keeps it; nothing has changed) */
  async detach(share: ManagedShare, client: ManagedMachine, timeoutSeconds: number, work: Work): Promise<Share> {
    const { id } = client.definition
    if (!share.record.clients.some(({ machineId }) => machineId === id)) {
      throw failure('not-found', `“${client.name}” does not have ${share.label}.`, { what: 'client', name: client.name, next: 'See the list of shares.' })
    }
    const release = client.reserve(`${share.label} is being taken off`)
    try {
      work.phase(`asking “${client.name}” to let go of it`)
      await this.takeBack(share, client, timeoutSeconds, work.signal)
      return share.view()
    } finally {
      release()
    }
  }

  /** @throws time-out (a guest keeps it; the others have let go) */
  async remove(share: ManagedShare, timeoutSeconds: number, work: Work): Promise<void> {
    for (const client of share.clients) await this.detach(share, client, timeoutSeconds, work)
    if (share.record.cluster && share.owner) await this.cluster.leave(share, share.owner, timeoutSeconds)
    await this.forget(share)
  }

  /** Plugs in what a machine shares that has just been started. What cannot be had it runs without. */
  async plugAll(client: ManagedMachine, work: Work): Promise<void> {
    for (const share of this.withClient(client)) {
      try {
        await share.plug(client, work.signal)
      } catch (error) {
        if (work.signal.aborted) throw error
        const reason = error instanceof Error ? error.message : String(error)
        work.log(`“${client.name}” runs without ${share.label}: ${reason}`)
        await this.refuse(share, client, reason)
      }
    }
  }

  /** Whether another machine writes to a disk of this one, which then may only read it. */
  readsItsOwn(owner: ManagedMachine): boolean {
    return this.ownedBy(owner).some(({ record }) => !mayWrite(record, record.machineId))
  }

  /** Before its first instruction QEMU is told what a machine may not write to. @throws wrong-state */
  async guard(owner: ManagedMachine): Promise<void> {
    for (const share of this.ownedBy(owner)) if (!mayWrite(share.record, share.record.machineId)) await share.requireGuarded()
  }

  /** The shares that a machine gets. */
  withClient(client: ManagedMachine): ManagedShare[] {
    return this.all().filter((share) => share.record.clients.some(({ machineId }) => machineId === client.definition.id))
  }

  /** Takes what is served from a machine that is about to end, so that its clients lose nothing. */
  async ownerEnds(owner: ManagedMachine): Promise<void> {
    await Promise.all(this.ownedBy(owner).map((share) => share.ownerEnds()))
  }

  /** Its guest has powered off, and its QEMU is there for its clients alone. */
  private async endOwner(owner: ManagedMachine): Promise<void> {
    await this.ownerEnds(owner)
    if (!isLive(owner.state)) return // it has ended by itself
    const { qmp } = owner.live('ended')
    await qmp.execute('quit').catch(() => {}) // it ends before it answers
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
    const { library, machines, watch, standstill, options } = this
    const share = new ManagedShare(record, { library, machines, watch, standstill, ...options, cluster: (one) => this.cluster.view(one), onOwnerEnds: (owner) => void this.endOwner(owner) })
    this.shares.set(record.id, share)
    return share
  }

  private requirePossible(record: ShareRecord, client: ManagedMachine, { nextStart }: Attaching): void {
    requirePossible(record, client, { has: this.withClient(client).length, nextStart })
  }

  private refuse(share: ManagedShare, client: ManagedMachine, reason: string): Promise<void> {
    share.noteRefusal(client.definition.id, reason)
    return share.level()
  }

  /** Unplugs the disk from a client that runs, and takes it out of the record; its export goes. @throws time-out, wrong-state */
  private async takeBack(share: ManagedShare, client: ManagedMachine, timeoutSeconds: number, signal: AbortSignal): Promise<void> {
    const machineId = client.definition.id
    if (!isOff(client.state)) {
      if (share.record.cluster) await this.cluster.leave(share, client, timeoutSeconds)
      if (mayWrite(share.record, machineId)) await unmountIfAsked(share, client)
      await share.unplug(client, timeoutSeconds, signal)
    }
    const { clients, writer, cluster } = share.record
    const left = cluster && { ...cluster, nodes: cluster.nodes.filter((node) => node.machineId !== machineId) }
    await share.save({ ...share.record, cluster: left, writer: writer === machineId ? null : writer, clients: clients.filter((client) => client.machineId !== machineId) })
    await share.level()
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

/** A machine that writes keeps much in its memory: it writes that out first. One without an agent cannot be asked. @throws in-use */
async function unmountIfAsked(share: ManagedShare, client: ManagedMachine): Promise<void> {
  if (!share.hasDevice(client.definition.id)) return
  try {
    await unmountInGuest(client, deviceId(share.record.id))
  } catch (error) {
    if (!(error instanceof Failure) || error.error.code === 'in-use') throw error
  }
}

const isEmpty = (contents: readonly DiskContent[]): boolean => contents.every(({ kind }) => kind === 'nothing')
/** Empty, or with the file system that Strata makes. */
const isForCluster = (contents: readonly DiskContent[]): boolean => contents.every(({ partition, kind }) => partition === null && (kind === 'nothing' || kind === 'OCFS2'))
/** For a guest to let go of what was just plugged in. */
const UNDO_TIMEOUT_SECONDS = 20
const LATER = 'Its memory becomes shareable at its next start; it gets the disk then.'
const onlyOne = <T>(found: T[]): T | undefined => (found.length === 1 ? found[0] : undefined)
