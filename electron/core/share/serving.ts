import type { Disk, ShareRecord, ShareServer } from '#contract'
import { flushNode } from '../disk/block-job'
import { diskNodes } from '../disk/nodes'
import { activeLayer } from '../disk/stack'
import { ensurePrivateFolder } from '../host/files'
import type { ShareRuntimePaths } from '../library/paths'
import type { ManagedMachine } from '../machine/machine'
import type { Machines } from '../machine/machines'
import { isLive, isOff } from '../machine/state'
import type { QmpSession } from '../qmp/session'
import { levelExports, servesAnybody } from './exports'
import { levelGuard } from './guard'
import { DaemonKeeper } from './keeper'
import type { ClientLinks } from './links'
import type { OwnerWatch } from './owner'
import { mayWrite, planServer } from './plan'
import type { OpenedBy } from './read-disk'
import { withoutRequests } from './standstill'
import { expectedTransport } from './transport'
import type { Turns } from './turns'
import { whatIsServed } from './versions'
import { makeWritable } from './writable'

/** What is asked of a share here. */
export interface Subject {
  readonly record: ShareRecord
  readonly runtime: ShareRuntimePaths
  readonly owner: ManagedMachine | null
  readonly disk: Disk | null
  readonly clients: readonly ManagedMachine[]
  readonly runningClients: readonly ManagedMachine[]
  readonly links: ClientLinks
}

export interface ServingParts {
  readonly machines: Machines
  readonly watch: OwnerWatch
  readonly standstill: Turns
  /** The owner's guest has powered off. */
  readonly onOwnerEnds: (owner: ManagedMachine) => void
  /** Other shares of this owner are no longer exported. */
  readonly onServerAnew: (owner: ManagedMachine) => void
}

/** Who serves a shared disk: the owner's QEMU, a storage daemon, or nobody; and that it exports just what is wanted. */
export class Serving {
  /** Who serves it now. */
  server: ShareServer = { kind: 'idle' }
  /** The owner is about to end. */
  ending = false
  /** How many there are who work on the owner's files. */
  occupants = 0
  private readonly daemons: DaemonKeeper

  /** @param onDidEnd a storage daemon has ended by itself */
  constructor(
    private readonly share: Subject,
    private readonly parts: ServingParts,
    onDidEnd: () => void
  ) {
    this.daemons = new DaemonKeeper(share.runtime, () => {
      share.links.noteCutOff()
      onDidEnd()
    })
  }

  /** The daemon, while it has the files of the owner open. */
  get openedBy(): OpenedBy | null {
    const daemon = this.daemons.current
    return daemon && { qmp: daemon.qmp, nbdSocket: this.share.runtime.daemonNbd }
  }

  /** Takes over what an earlier owner of the library left running. */
  recall(): Promise<void> {
    return this.daemons.recall()
  }
  /** Lets go of what serves: it runs on. */
  release(): void {
    this.daemons.release()
  }
  dismiss(): Promise<void> {
    return this.daemons.dismiss()
  }

  /** Brings about what is wanted now. @throws qmp, and what a storage daemon's start throws */
  async level(): Promise<ShareServer> {
    const { owner, disk, runningClients: needed } = this.share
    if (!owner || isOff(owner.state)) {
      if (this.server.kind === 'machine') this.share.links.noteCutOff()
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

  private async levelOwner(owner: ManagedMachine, disk: Disk, clients: readonly ManagedMachine[]): Promise<void> {
    const qemu = owner.running
    if (!qemu) return
    const { qmp } = qemu
    const { record, runtime } = this.share
    if (record.mode === 'rw') await levelGuard(qmp, disk.id, activeLayer(disk).nodeName, !mayWrite(record, record.machineId))
    const level = async (): Promise<void> => {
      if (await this.levelExports(qmp, qemu.runtime.nbd, disk, clients)) this.parts.onServerAnew(owner)
    }
    if (clients.length > 0) {
      await ensurePrivateFolder(runtime.root)
      await this.parts.watch.hold(qmp, () => this.parts.onOwnerEnds(owner))
      return level()
    }
    if (this.ending) await this.withoutRequests(() => level().then(() => writeOut(qmp, record, disk)))
    else await level()
    if (!(await servesAnybody(qmp))) await this.parts.watch.letGo(qmp)
  }

  /** The clients stand still meanwhile, so that no request of theirs is lost. Those over NBD need not: what was not answered they ask again. */
  private withoutRequests(act: () => Promise<void>): Promise<void> {
    const { clients, links } = this.share
    const held = clients.filter(({ definition: { id } }) => links.transportOf(id) !== 'nbd')
    return withoutRequests(this.parts.standstill, held, (machine) => links.noteIfDeaf(machine, machine.live('asked').qmp), act)
  }

  private async levelDaemon(owner: ManagedMachine, disk: Disk, clients: readonly ManagedMachine[]): Promise<ShareServer> {
    const { share } = this
    const daemon = await this.daemons.ensure(async () => {
      const writable = share.record.mode !== 'ro'
      if (writable) await makeWritable(this.parts.machines, owner, disk.id)
      return { ...diskNodes(share.disk ?? disk, owner.paths.disk), 'read-only': !writable }
    })
    if (!daemon) return { kind: 'failed', message: 'The storage daemon ended several times right after its start.' }
    await this.levelExports(daemon.qmp, share.runtime.daemonNbd, share.disk ?? disk, clients)
    return { kind: 'daemon', pid: daemon.pid }
  }

  private levelExports(qmp: QmpSession, nbdSocket: string, disk: Disk, machines: readonly ManagedMachine[]): Promise<boolean> {
    const { record, runtime, links } = this.share
    const transports = new Map(machines.map((machine) => [machine.definition.id, links.transportOf(machine.definition.id) ?? expectedTransport(machine)]))
    const clients = whatIsServed(record, disk, [...transports.keys()]).map((client) => ({ ...client, transport: transports.get(client.machineId)! }))
    return levelExports(qmp, { shareId: record.id, disk: disk.id, runtime, nbdSocket, clients, waiting: links.waiting })
  }
}

/** What clients were told is written goes to the file before their exporter is killed: their next sync is answered by another. */
async function writeOut(qmp: QmpSession, { mode }: ShareRecord, disk: Disk): Promise<void> {
  if (mode !== 'ro') await flushNode(qmp, activeLayer(disk).nodeName)
}
