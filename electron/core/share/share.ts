import type { ClientTransport, Disk, Share, ShareClient, ShareRecord, ShareServer } from '#contract'
import { activeLayer } from '../disk/stack'
import { removeTree } from '../host/files'
import type { Library } from '../library/library'
import type { ShareRuntimePaths } from '../library/paths'
import type { ManagedMachine } from '../machine/machine'
import { isLive } from '../machine/state'
import { plugShare, unplugShare } from './client'
import { levelGuard } from './guard'
import { ClientLinks } from './links'
import { isServing, mayWrite } from './plan'
import type { OpenedBy } from './read-disk'
import { Relays } from './relay'
import { saveShare } from './record'
import { requireRestartable, requireServed } from './served'
import { Serving, type ServingParts } from './serving'
import { chooseTransport, expectedTransport, whyNbd } from './transport'
import { limitsOf, publishedOf, versionFor, withVersion } from './versions'

/** How often a client that waits is looked at again, while somebody serves. */
const LOOK_AGAIN_MS = 250
/** How soon it is tried again, when nobody could serve: what was in the way may have gone. */
const TRY_AGAIN_MS = 5_000

/** What a share works with. */
export interface ShareParts extends ServingParts {
  readonly library: Library
  readonly onDidChange: (share: Share) => void
  /** The cluster file system on it, as the faces see it. */
  readonly cluster: (share: ManagedShare) => Share['cluster']
}

/** One shared disk, and the process that serves it now. Whatever changes around it, `level` brings the exports to what is wanted. */
export class ManagedShare {
  readonly links: ClientLinks
  private readonly relays: Relays
  private readonly serving: Serving
  private queue: Promise<void> = Promise.resolve()
  private lookTimer: NodeJS.Timeout | null = null
  private told = ''
  private closed = false

  constructor(
    public record: ShareRecord,
    private readonly parts: ShareParts
  ) {
    this.relays = new Relays(this.runtime.relay, () => void this.level())
    this.links = new ClientLinks(record.id, this.relays)
    this.serving = new Serving(this, parts, {
      onDidEnd: () => void this.level(),
      onDidHang: () => {
        this.tell() // at once: what is under way may wait for it, too
        void this.level()
      }
    })
  }

  /** Who serves it now. */
  get server(): ShareServer {
    return this.serving.server
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
  /** Those that have it, are just getting it, or may have it, as their monitor does not answer: one that runs or starts without it needs nobody who serves. */
  get runningClients(): ManagedMachine[] {
    return this.clients.filter(({ state, definition: { id } }) => (isLive(state) ? this.links.isPlugging(id) || this.hasDevice(id) : state.kind === 'unreachable'))
  }
  /** Why a machine has, or is to get, the disk over NBD; null: it does not. */
  whyNbd(machine: ManagedMachine): string | null {
    return this.transportOf(machine) === 'nbd' ? whyNbd(machine) : null
  }
  /** How a machine has, or is to get, the disk. */
  transportOf(machine: ManagedMachine): ClientTransport {
    return this.links.transportOf(machine.definition.id) ?? expectedTransport(machine)
  }
  hasDevice(machineId: string): boolean {
    return this.links.hasDevice(machineId)
  }
  /** The daemon, while it has the files of the owner open. */
  get openedBy(): OpenedBy | null {
    return this.serving.openedBy
  }
  private writes(machine: ManagedMachine): boolean {
    return mayWrite(this.record, machine.definition.id)
  }

  view(): Share {
    const { id, machineId, disk, mode, createdAtMs, holdSeconds, writeThrough } = this.record
    const published = publishedOf(this.record, this.disk)
    const ownerWrites = mayWrite(this.record, machineId)
    const clients = this.clients.map((machine) => this.clientView(machine))
    return { id, machineId, machine: this.owner?.name ?? '', disk, sizeBytes: this.disk?.sizeBytes ?? 0, mode, ownerWrites, published, createdAtMs, holdSeconds, writeThrough, server: this.server, clients, cluster: this.parts.cluster(this) }
  }

  private clientView(machine: ManagedMachine): ShareClient {
    const { id } = machine.definition
    const reason = this.whyNbd(machine)
    return { machineId: id, machine: machine.name, transport: reason === null ? 'vhost-user-blk' : 'nbd', transportReason: reason, writes: this.writes(machine), version: versionFor(this.record, id), limits: limitsOf(this.record, id), ...this.links.stateOf(machine, this.server, this.serving.refusing) }
  }

  /** Takes over what an earlier owner of the library left running; before anything that is done for a machine that changes meanwhile, which would have it a second time. */
  recall(): Promise<void> {
    this.queue = this.queue.then(async () => {
      await this.relays.recall(this.record.clients.map(({ machineId }) => machineId))
      await this.serving.recall()
    })
    return this.level()
  }

  async save(record: ShareRecord): Promise<void> {
    await saveShare(this.parts.library.paths, record)
    this.record = record
  }

  /** Changes how it is shared. */
  async edit(change: Partial<Pick<ShareRecord, 'holdSeconds' | 'writeThrough'>>): Promise<Share> {
    await this.save({ ...this.record, ...change })
    await this.level()
    return this.view()
  }

  /**
   * Ends a storage daemon that hangs; another takes its place. For its clients that is as if it had been killed.
   * @param force also one that answers, or whose storage does not @throws what `requireRestartable` throws, time-out (the system does not let it end)
   */
  async restart(force: boolean): Promise<Share> {
    requireRestartable(this.server, this.label, force)
    await this.serving.killDaemon()
    await requireServed(this, new AbortController().signal)
    return this.view()
  }

  /** Plugs the disk into a client that runs. @throws what `requireServed` and `plugShare` throw */
  async plug(client: ManagedMachine, signal: AbortSignal): Promise<void> {
    const { id } = client.definition
    const transport = await chooseTransport(client)
    this.links.notePlugging(id, transport)
    try {
      await this.save(withVersion(this.record, id))
      await requireServed(this, signal)
      if (transport === 'vhost-user-blk') await this.relays.require(id).ready(signal)
      const writes = this.writes(client)
      await plugShare(client.live('used').qmp, { shareId: this.record.id, machineId: id, socketPath: this.runtime.client(id), transport, writes }, signal)
      this.noteRefusal(id, null)
    } finally {
      this.links.notePlugging(id, null)
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
    this.serving.occupants++
    let held = true
    const release = (): void => {
      if (held) this.serving.occupants--
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
    this.serving.ending = true
    return this.level()
  }

  /** Brings the exports to what is wanted now, one call after the other. It never fails: what went wrong is what `server` says. */
  level(): Promise<void> {
    this.queue = this.queue.then(async () => {
      if (this.closed) return
      await this.links.look(this.clients)
      await this.levelRelays()
      await this.serving.level()
      await this.lookAtClients()
      this.tell()
    })
    return this.queue
  }

  private async levelRelays(): Promise<void> {
    const relayed = this.runningClients.filter((machine) => this.transportOf(machine) === 'vhost-user-blk')
    await this.relays.level(relayed.map(({ definition }) => definition.id))
  }

  /** Has the owner's QEMU refuse what its guest writes. In its turn: bringing the exports to what is wanted does the same. @throws qmp */
  requireGuarded(): Promise<void> {
    const guarded = this.queue.then(async () => {
      const { owner, disk } = this
      if (owner && disk) await levelGuard(owner.live('guarded').qmp, disk.id, activeLayer(disk).nodeName, true)
    })
    this.queue = guarded.catch(() => undefined) // told to whoever asked
    return guarded
  }

  /** Asks every running client how its end is; as long as one waits, or nobody can serve, it is looked at again after a moment. */
  private async lookAtClients(): Promise<void> {
    this.links.forgetOff(this.clients)
    await this.links.look(this.clients)
    if (this.lookTimer) clearTimeout(this.lookTimer)
    this.lookTimer = null
    if (this.closed) return
    const again = this.server.kind === 'failed' ? TRY_AGAIN_MS : isServing(this.server) && this.links.waiting.length > 0 ? LOOK_AGAIN_MS : Infinity
    const soonest = Math.min(again, this.serving.lookAgainMs)
    if (soonest < Infinity) this.lookTimer = setTimeout(() => void this.level(), soonest).unref()
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
    await this.relays.level([])
    await this.serving.dismiss()
    await removeTree(this.runtime.root)
  }

  /** Lets go of what serves: it runs on, and the next owner of the library finds it. */
  async release(): Promise<void> {
    await this.level() // what has just changed: nothing runs on that nobody needs
    this.close()
    await this.queue
    this.relays.release()
    this.serving.release()
  }

  private close(): void {
    this.closed = true
    if (this.lookTimer) clearTimeout(this.lookTimer)
  }
}
