import { NO_LIMITS, toAppError, type ClientTransport, type Disk, type ShareRecord, type ShareServer } from '#contract'
import { flushNode } from '../disk/block-job'
import { diskNodes } from '../disk/nodes'
import { activeLayer } from '../disk/stack'
import { ensurePrivateFolder } from '../host/files'
import type { ShareRuntimePaths } from '../library/paths'
import type { ManagedMachine } from '../machine/machine'
import type { Machines } from '../machine/machines'
import { isLive, isOff } from '../machine/state'
import type { QmpSession } from '../qmp/session'
import { levelExports, servesAnybody, type WantedExports } from './exports'
import { levelGuard } from './guard'
import { Hold, REFUSAL } from './hold'
import { DaemonKeeper } from './keeper'
import type { ClientLinks } from './links'
import type { OwnerWatch } from './owner'
import { isServing, mayWrite, planServer } from './plan'
import { Pulse, type Watched } from './pulse'
import type { OpenedBy } from './read-disk'
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
  transportOf(machine: ManagedMachine): ClientTransport
}

export interface ServingParts {
  readonly machines: Machines
  readonly watch: OwnerWatch
  /** The owner's guest has powered off. */
  readonly onOwnerEnds: (owner: ManagedMachine) => void
  /** Other shares of this owner are no longer exported. */
  readonly onServerAnew: (owner: ManagedMachine) => void
}

/** Who serves a shared disk: the owner's QEMU, a storage daemon, or nobody; and that it exports just what is wanted. */
export class Serving {
  /** Who is to serve it now, whether or not that process is well. */
  private chosen: ShareServer = { kind: 'idle' }
  /** The owner is about to end. */
  ending = false
  /** How many there are who work on the owner's files. */
  occupants = 0
  private readonly daemons: DaemonKeeper
  private readonly hold: Hold
  private readonly pulse: Pulse

  /** @param onDidEnd a storage daemon has ended by itself @param onDidHang whoever serves does not answer, or does again */
  constructor(
    private readonly share: Subject,
    private readonly parts: ServingParts,
    { onDidEnd, onDidHang }: { onDidEnd: () => void; onDidHang: () => void }
  ) {
    this.daemons = new DaemonKeeper(share.runtime, onDidEnd)
    this.hold = new Hold(share.runtime.refusal, onDidEnd)
    this.pulse = new Pulse(onDidHang)
  }

  /** Who serves it now. */
  get server(): ShareServer {
    const { hanging } = this.pulse
    if (!hanging || !isServing(this.chosen)) return this.chosen
    return { kind: 'hung', machine: this.chosen.kind === 'machine' ? this.chosen.machine : null, ...hanging }
  }

  /** Nobody has served it for longer than its clients are to wait: they get errors. */
  get refusing(): boolean {
    return this.hold.refusing
  }
  /** When to look again whether clients have waited long enough; Infinity: they need not, or have. */
  get lookAgainMs(): number {
    return this.hold.lookAgainMs(this.share.record.holdSeconds)
  }

  /** The daemon, while it has the files of the owner open. */
  get openedBy(): OpenedBy | null {
    const daemon = this.daemons.current
    return daemon && { qmp: daemon.qmp, nbdSocket: this.share.runtime.daemonNbd }
  }

  /** Takes over what an earlier owner of the library left running. */
  async recall(): Promise<void> {
    await Promise.all([this.daemons.recall(), this.hold.recall()])
  }
  /** Lets go of what serves: it runs on. */
  release(): void {
    this.pulse.watch(null)
    this.daemons.release()
    this.hold.release()
  }
  /** Ends the storage daemon at once, whatever it does; its end is told as any other. @throws time-out */
  async killDaemon(): Promise<void> {
    await this.daemons.current?.kill()
  }
  async dismiss(): Promise<void> {
    this.pulse.watch(null)
    await Promise.all([this.daemons.dismiss(), this.hold.dismiss()])
  }

  /** Brings about what is wanted now. It never fails: what went wrong is what `server` says. */
  async level(): Promise<void> {
    for (const act of [async () => (this.chosen = await this.levelServer()), () => this.levelHold()]) {
      try {
        await act()
      } catch (error) {
        if (!this.pulse.hanging) this.chosen = serverAfter(error)
      }
    }
    this.pulse.watch(this.watched)
  }
  /** The process to look after: whoever serves; one that hangs also when it is not to serve any more, as it is brought to that when it answers. */
  private get watched(): Watched | null {
    const { owner } = this.share
    const qemu = this.chosen.kind === 'machine' || (this.pulse.hanging && !this.daemons.current) ? owner?.running : null
    return qemu ? { qmp: qemu.qmp, pid: qemu.record.pid } : this.daemons.current
  }

  /** @throws qmp, and what a storage daemon's start throws */
  private async levelServer(): Promise<ShareServer> {
    const { owner, disk, runningClients: needed } = this.share
    if (!owner || isOff(owner.state)) this.ending = false
    const wanted = planServer({ owner: owner?.state ?? null, ending: this.ending, occupied: this.occupants > 0, needed: needed.length })
    if (wanted !== 'daemon' && this.daemons.current) await this.daemons.dismiss()
    // What hangs is not asked: it would be waited for, and what it serves stays as it is.
    if (this.pulse.hanging && wanted === this.chosen.kind) return this.chosen
    if (owner && isLive(owner.state) && disk && !this.pulse.hanging) await this.levelOwner(owner, disk, wanted === 'machine' ? needed : [])
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
    await level()
    if (this.ending) await writeOut(qmp, record, disk)
    if (!(await servesAnybody(qmp))) await this.parts.watch.letGo(qmp)
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

  /** Clients that have waited long enough get errors. A process that hangs they are connected to, and nothing can be done for them. */
  private async levelHold(): Promise<void> {
    const { record, disk, owner, runningClients, links, runtime } = this.share
    const having = runningClients.filter(({ definition: { id } }) => links.hasDevice(id))
    if (having.length === 0 || isServing(this.chosen)) this.hold.end()
    else if (this.chosen.kind === 'failed' && owner?.state.kind !== 'unreachable') this.hold.begin() // a hand-over ends by itself
    if (!disk || !this.hold.isOver(record.holdSeconds)) return this.endRefusal()
    const daemon = await this.hold.refuser(disk)
    const clients = having.map(({ definition: { id } }) => ({ machineId: id, nodeName: REFUSAL, transport: links.transportOf(id)!, writes: mayWrite(record, id), version: null, writeThrough: false, limits: NO_LIMITS }))
    if (daemon) await levelExports(daemon.qmp, { ...this.exportsTo(clients), nbdSocket: runtime.refusal.daemonNbd })
  }

  /** Its sockets are where those of whoever serves are to be. */
  private async endRefusal(): Promise<void> {
    if (this.hold.refusing) await this.hold.dismiss()
  }

  private async levelExports(qmp: QmpSession, nbdSocket: string, disk: Disk, machines: readonly ManagedMachine[]): Promise<boolean> {
    const { record } = this.share
    if (machines.length > 0) await this.endRefusal()
    const transports = new Map(machines.map((machine) => [machine.definition.id, this.share.transportOf(machine)]))
    const clients = whatIsServed(record, disk, [...transports.keys()]).map((client) => ({ ...client, transport: transports.get(client.machineId)! }))
    return levelExports(qmp, { ...this.exportsTo(clients), nbdSocket })
  }
  private exportsTo(clients: WantedExports['clients']): Omit<WantedExports, 'nbdSocket'> {
    const { record, runtime, links } = this.share
    return { shareId: record.id, disk: record.disk, runtime, clients, waiting: links.waiting }
  }
}

/** An owner whose monitor has just closed is ending, and the next change tells how that went. */
function serverAfter(error: unknown): ShareServer {
  const { code, message, causes } = toAppError(error)
  return code === 'connection-lost' ? { kind: 'moving' } : { kind: 'failed', message: [message, ...causes].join(' ') }
}

/** What clients were told is written goes to the file before their exporter is killed: their next sync is answered by another. */
async function writeOut(qmp: QmpSession, { mode }: ShareRecord, disk: Disk): Promise<void> {
  if (mode !== 'ro') await flushNode(qmp, activeLayer(disk).nodeName)
}
