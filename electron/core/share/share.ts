import type { Disk, Share, ShareClient, ShareRecord, ShareServer } from '#contract'
import { toAppError } from '#contract'
import { diskNodes } from '../disk/nodes'
import { activeLayer } from '../disk/stack'
import { ensurePrivateFolder, removeTree } from '../host/files'
import type { Library } from '../library/library'
import type { ShareRuntimePaths } from '../library/paths'
import type { ManagedMachine } from '../machine/machine'
import type { Machines } from '../machine/machines'
import { isLive, isOff } from '../machine/state'
import { plugShare, unplugShare } from './client'
import { levelExports, servesAnybody, type WantedExports } from './exports'
import { levelGuard } from './guard'
import { DaemonKeeper } from './keeper'
import { ClientLinks } from './links'
import type { OwnerWatch } from './owner'
import { isServing, mayWrite, needsExport, planServer } from './plan'
import type { OpenedBy } from './read-disk'
import { saveShare } from './record'
import { requireServed } from './served'
import { withoutRequests } from './standstill'
import { publishedOf, versionFor, whatIsServed, withVersion } from './versions'
import { makeWritable } from './writable'
import type { Turns } from './turns'

/** How often a client that waits is looked at again, while somebody serves. */
const LOOK_AGAIN_MS = 250
/** How soon it is tried again, when nobody could serve: what was in the way may have gone. */
const TRY_AGAIN_MS = 5_000

/** What a share works with. */
export interface ShareParts {
  readonly library: Library
  readonly machines: Machines
  readonly watch: OwnerWatch
  readonly standstill: Turns
  readonly onDidChange: (share: Share) => void
  /** The cluster file system on it, as the faces see it. */
  readonly cluster: (share: ManagedShare) => Share['cluster']
  /** The owner's guest has powered off. */
  readonly onOwnerEnds: (owner: ManagedMachine) => void
}

/** One shared disk, and the process that serves it now. Whatever changes around it, `level` brings the exports to what is wanted. */
export class ManagedShare {
  /** Who serves it now. */
  server: ShareServer = { kind: 'idle' }
  private readonly daemons: DaemonKeeper
  private occupants = 0
  private ending = false
  private readonly links: ClientLinks
  /** Clients that are just getting it. */
  private readonly plugging = new Set<string>()
  private queue: Promise<void> = Promise.resolve()
  private lookTimer: NodeJS.Timeout | null = null
  private told = ''
  private closed = false

  constructor(
    public record: ShareRecord,
    private readonly parts: ShareParts
  ) {
    this.links = new ClientLinks(record.id)
    this.daemons = new DaemonKeeper(this.runtime, () => {
      this.links.noteCutOff()
      void this.level()
    })
  }

  get runtime(): ShareRuntimePaths {
    return this.parts.library.runtime.share(this.record.id)
  }
  /** Null when its folder is damaged, or it is in the trash. */
  get owner(): ManagedMachine | null {
    return this.parts.machines.all().find((machine) => machine.definition.id === this.record.machineId) ?? null
  }
  get disk(): Disk | null {
    return this.owner?.definition.disks.find((disk) => disk.id === this.record.disk) ?? null
  }
  /** As people write it: `lab1:disk0`. */
  get label(): string {
    return `${this.owner?.name ?? this.record.machineId}:${this.record.disk}`
  }
  /** The clients that there are; one in the trash has it again when it is brought back. */
  get clients(): ManagedMachine[] {
    const all = this.parts.machines.all()
    return this.record.clients.flatMap(({ machineId }) => all.find((machine) => machine.definition.id === machineId) ?? [])
  }
  /** Those that have it, or are about to: one that runs without it needs nobody who serves. */
  get runningClients(): ManagedMachine[] {
    return this.clients.filter(({ state, definition: { id } }) => needsExport(state) && (!isLive(state) || this.plugging.has(id) || this.hasDevice(id)))
  }
  hasDevice(machineId: string): boolean {
    return this.links.hasDevice(machineId)
  }
  /** The daemon, while it has the files of the owner open. */
  get openedBy(): OpenedBy | null {
    const daemon = this.daemons.current
    return daemon && { qmp: daemon.qmp, nbdSocket: this.runtime.daemonNbd }
  }
  private writes(machine: ManagedMachine): boolean {
    return mayWrite(this.record, machine.definition.id)
  }

  view(): Share {
    const { id, machineId, disk, mode, createdAtMs } = this.record
    const published = publishedOf(this.record, this.disk)
    const ownerWrites = mayWrite(this.record, machineId)
    const clients = this.clients.map((machine) => this.clientView(machine))
    return { id, machineId, machine: this.owner?.name ?? '', disk, sizeBytes: this.disk?.sizeBytes ?? 0, mode, ownerWrites, published, createdAtMs, server: this.server, clients, cluster: this.parts.cluster(this) }
  }

  private clientView(machine: ManagedMachine): ShareClient {
    const { id } = machine.definition
    return { machineId: id, machine: machine.name, transport: 'vhost-user-blk', writes: this.writes(machine), version: versionFor(this.record, id), ...this.links.stateOf(machine, this.server) }
  }

  /** Takes over what an earlier owner of the library left running. */
  async recall(): Promise<void> {
    await this.daemons.recall()
    await this.level()
  }

  async save(record: ShareRecord): Promise<void> {
    await saveShare(this.parts.library.paths, record)
    this.record = record
  }

  /** Plugs the disk into a client that runs. @throws what `requireServed` and `plugShare` throw */
  async plug(client: ManagedMachine, signal: AbortSignal): Promise<void> {
    const { id } = client.definition
    this.plugging.add(id)
    try {
      await this.save(withVersion(this.record, id))
      await requireServed(this, signal)
      await plugShare(client.live('used').qmp, this.record.id, this.runtime.client(id), signal)
      this.noteRefusal(id, null)
    } finally {
      this.plugging.delete(id)
      await this.level()
    }
  }

  /** Has a client's guest let go of it, if it has it. @throws time-out (it keeps it) */
  async unplug(client: ManagedMachine, timeoutSeconds: number, signal: AbortSignal): Promise<void> {
    await unplugShare(client.live('asked').qmp, this.record.id, this.label, timeoutSeconds, signal)
    await this.level()
  }

  noteRefusal(machineId: string, reason: string | null): void {
    this.links.noteRefusal(machineId, reason)
  }

  /**
   * Keeps the storage daemon from the owner's files, until the answer is called. A daemon that has them open is ended first; what clients
   * read waits meanwhile.
   */
  async occupy(): Promise<() => void> {
    this.occupants++
    let held = true
    const release = (): void => {
      if (held) this.occupants--
      held = false
      void this.level()
    }
    try {
      await this.level()
    } catch (error) {
      release()
      throw error
    }
    return release
  }

  /** Takes what is served from the owner, which is about to end. */
  ownerEnds(): Promise<void> {
    this.ending = true
    return this.level()
  }

  /** Brings the exports to what is wanted now, one call after the other. It never fails: what went wrong is what `server` says. */
  level(): Promise<void> {
    this.queue = this.queue.then(async () => {
      if (this.closed) return
      await this.links.look(this.clients)
      try {
        this.server = await this.levelServer()
      } catch (error) {
        this.server = serverAfter(error)
      }
      await this.lookAtClients()
      this.tell()
    })
    return this.queue
  }

  /** Has the owner's QEMU refuse what its guest writes. @throws qmp */
  async requireGuarded(): Promise<void> {
    const { owner, disk } = this
    if (owner && disk) await levelGuard(owner.live('guarded').qmp, disk.id, activeLayer(disk).nodeName, true)
  }

  private async levelServer(): Promise<ShareServer> {
    const { owner, disk } = this
    const needed = this.runningClients
    if (!owner || isOff(owner.state)) {
      if (this.server.kind === 'machine') this.links.noteCutOff()
      this.ending = false
    }
    const wanted = planServer({ owner: owner?.state ?? null, ending: this.ending, occupied: this.occupants > 0, needed: needed.length })
    if (wanted !== 'daemon' && this.daemons.current) await this.withoutRequests(() => this.daemons.dismiss())
    if (owner && isLive(owner.state) && disk) await this.levelOwner(owner, disk, wanted === 'machine' ? needed : [])
    if (wanted === 'daemon' && owner && disk) return this.levelDaemon(owner, disk, needed)
    if (wanted === 'machine' && owner) return { kind: 'machine', machine: owner.name }
    if (wanted === 'idle') return { kind: 'idle' }
    if (!owner || !disk) return { kind: 'failed', message: 'The machine that it belongs to is not to be had.' }
    if (owner.state.kind === 'unreachable') return { kind: 'failed', message: `The monitor of “${owner.name}” does not answer.` }
    return { kind: 'moving' }
  }

  private async levelOwner(owner: ManagedMachine, disk: Disk, clients: ManagedMachine[]): Promise<void> {
    const qemu = owner.running
    if (!qemu) return
    const { qmp } = qemu
    if (this.record.mode === 'rw') await levelGuard(qmp, disk.id, activeLayer(disk).nodeName, !this.writes(owner))
    const level = (): Promise<void> => levelExports(qmp, this.wantedExports(disk, clients))
    if (clients.length > 0) {
      await ensurePrivateFolder(this.runtime.root)
      await this.parts.watch.hold(qmp, () => this.parts.onOwnerEnds(owner))
      return level()
    }
    if (this.ending) await this.withoutRequests(level)
    else await level()
    if (!(await servesAnybody(qmp))) await this.parts.watch.letGo(qmp)
  }

  /** The clients stand still meanwhile, so that no request of theirs is lost. */
  private withoutRequests(act: () => Promise<void>): Promise<void> {
    return withoutRequests(this.parts.standstill, this.clients, (machine) => this.links.noteIfDeaf(machine, machine.live('asked').qmp), act)
  }

  private async levelDaemon(owner: ManagedMachine, disk: Disk, clients: ManagedMachine[]): Promise<ShareServer> {
    const daemon = await this.daemons.ensure(async () => {
      const writable = this.record.mode !== 'ro'
      if (writable) await makeWritable(this.parts.machines, owner, disk.id)
      return { ...diskNodes(this.disk ?? disk, owner.paths.disk), 'read-only': !writable }
    })
    if (!daemon) return { kind: 'failed', message: 'The storage daemon ended several times right after its start.' }
    await levelExports(daemon.qmp, this.wantedExports(this.disk ?? disk, clients))
    return { kind: 'daemon', pid: daemon.pid }
  }

  private wantedExports(disk: Disk, clients: ManagedMachine[]): WantedExports {
    const ids = clients.map((machine) => machine.definition.id)
    return { shareId: this.record.id, runtime: this.runtime, clients: whatIsServed(this.record, disk, ids), waiting: this.links.waiting }
  }

  /** Asks every running client how its end is; as long as one waits, or nobody can serve, it is looked at again after a moment. */
  private async lookAtClients(): Promise<void> {
    this.links.forgetOff(this.clients)
    await this.links.look(this.clients)
    if (this.lookTimer) clearTimeout(this.lookTimer)
    this.lookTimer = null
    if (this.closed) return
    const again = this.server.kind === 'failed' ? TRY_AGAIN_MS : isServing(this.server) && this.links.waiting.length > 0 ? LOOK_AGAIN_MS : null
    if (again !== null) this.lookTimer = setTimeout(() => void this.level(), again).unref()
  }

  private tell(): void {
    const view = this.view()
    const text = JSON.stringify(view)
    if (text === this.told) return
    this.told = text
    this.parts.onDidChange(view)
  }

  /** The share is no more: nothing serves it. */
  async end(): Promise<void> {
    await this.level()
    this.close()
    await this.daemons.dismiss()
    await removeTree(this.runtime.root)
  }

  /** Lets go of what serves: it runs on, and the next owner of the library finds it. */
  async release(): Promise<void> {
    await this.level() // what has just changed: nothing runs on that nobody needs
    this.close()
    await this.queue
    this.daemons.release()
  }

  private close(): void {
    this.closed = true
    if (this.lookTimer) clearTimeout(this.lookTimer)
  }
}

/** An owner whose monitor has just closed is ending, and the next change tells how that went. */
function serverAfter(error: unknown): ShareServer {
  const { code, message, causes } = toAppError(error)
  return code === 'connection-lost' ? { kind: 'moving' } : { kind: 'failed', message: [message, ...causes].join(' ') }
}
