import type { ClientTransport, ShareClient, ShareServer } from '#contract'
import type { ManagedMachine } from '../machine/machine'
import { isLive, isOff } from '../machine/state'
import type { QmpSession } from '../qmp/session'
import { clientLink, type ClientLink } from './client'
import { isServing, needsExport } from './plan'

/** How the clients of a share are, as they tell it themselves, and what is known of why. All by machine id. */
export class ClientLinks {
  private readonly links = new Map<string, ClientLink>()
  private readonly plugging = new Map<string, ClientTransport>()
  /** Why a client runs without the disk. */
  private readonly refusals = new Map<string, string>()
  /** Clients whose exporter ended without warning while they were connected. */
  private readonly cutOff = new Set<string>()

  constructor(private readonly shareId: string) {}

  hasDevice(machineId: string): boolean {
    return this.linkedOver(machineId) !== null
  }
  /** It is just getting it. */
  isPlugging(machineId: string): boolean {
    return this.plugging.has(machineId)
  }
  /** @param transport null: it has got it, or not */
  notePlugging(machineId: string, transport: ClientTransport | null): void {
    if (transport === null) this.plugging.delete(machineId)
    else this.plugging.set(machineId, transport)
  }
  /** How a client has the device, or is just getting it; null: it has none. */
  transportOf(machineId: string): ClientTransport | null {
    return this.plugging.get(machineId) ?? this.linkedOver(machineId)
  }
  private linkedOver(machineId: string): ClientTransport | null {
    const link = this.links.get(machineId)
    return link && link.kind !== 'none' ? link.transport : null
  }
  /** Clients that have the device, and are not connected. */
  get waiting(): string[] {
    return [...this.links].flatMap(([machineId, link]) => (link.kind === 'waiting' ? [machineId] : []))
  }

  /** Asks every client that runs how its end is. */
  async look(clients: readonly ManagedMachine[]): Promise<void> {
    const live = clients.filter(({ state }) => isLive(state))
    const links = await Promise.all(live.map(async (machine) => [machine.definition.id, await this.linkOf(machine)] as const))
    this.links.clear()
    for (const [machineId, link] of links) this.links.set(machineId, link)
  }

  private async linkOf(machine: ManagedMachine): Promise<ClientLink> {
    try {
      return await clientLink(machine.live('asked').qmp, this.shareId)
    } catch {
      return { kind: 'none' } // it has just ended, which is told by its own state
    }
  }

  /** @param reason null: there is none any more */
  noteRefusal(machineId: string, reason: string | null): void {
    if (reason === null) this.refusals.delete(machineId)
    else this.refusals.set(machineId, reason)
  }

  /** Whoever served has ended without warning. Over NBD, what was not answered is asked again. */
  noteCutOff(): void {
    for (const [machineId, link] of this.links) if (link.kind !== 'none' && link.transport === 'vhost-user-blk') this.cutOff.add(machineId)
  }

  /** What was wrong with a client that is off is over. */
  forgetOff(clients: readonly ManagedMachine[]): void {
    for (const { state, definition } of clients) {
      if (!isOff(state)) continue
      this.refusals.delete(definition.id)
      this.cutOff.delete(definition.id)
    }
  }

  /** QEMU before 8.1 does not connect again when its guest stands still as the connection ends. */
  async noteIfDeaf(machine: ManagedMachine, qmp: QmpSession): Promise<void> {
    if ((await clientLink(qmp, this.shareId)).kind === 'none' || (await qmp.execute('query-status')).running || atLeast(qmp.version, 8, 1)) return
    this.noteRefusal(machine.definition.id, `“${machine.name}” was paused while another process took over, and does not notice it. Detach the disk and attach it again.`)
  }

  /** How a client is, and why, where that is known. */
  stateOf({ state, definition: { id } }: ManagedMachine, server: ShareServer, refusing: boolean): Pick<ShareClient, 'state' | 'reason'> {
    const refusal = this.refusals.get(id) ?? null
    if (!needsExport(state)) return { state: 'off', reason: null }
    if (!isLive(state)) return { state: 'starting', reason: null }
    if (!this.hasDevice(id)) return { state: 'unplugged', reason: refusal }
    if (refusal !== null) return { state: 'waiting', reason: refusal }
    if (server.kind === 'hung') return { state: 'waiting', reason: HANGS }
    if (refusing) return { state: 'failing', reason: FAILING }
    const served = this.transportOf(id) === 'vhost-user-blk' || isServing(server)
    if (!served || this.links.get(id)?.kind === 'waiting') return { state: 'waiting', reason: server.kind === 'failed' ? server.message : null }
    return { state: 'connected', reason: this.cutOff.has(id) ? CUT_OFF : null }
  }
}

const HANGS = 'The process that serves it does not answer.'
const FAILING = 'Nobody has served it for longer than its guest is to wait: that gets I/O errors.'
const CUT_OFF = 'The process that served it ended without warning. If something in the guest waits for it without end, reset the machine.'

const atLeast = (version: string, major: number, minor: number): boolean => {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number)
  return ownMajor > major || (ownMajor === major && ownMinor >= minor)
}
