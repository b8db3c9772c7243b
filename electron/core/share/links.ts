import type { ClientTransport, ShareClient, ShareServer } from '#contract'
import type { ManagedMachine } from '../machine/machine'
import { isLive, isOff } from '../machine/state'
import { clientLink, type ClientLink } from './client'
import { isServing } from './plan'
import type { Relays } from './relay'

/** How the clients of a share are, as they tell it themselves, and what is known of why. All by machine id. */
export class ClientLinks {
  private readonly links = new Map<string, ClientLink>()
  private readonly plugging = new Map<string, ClientTransport>()
  /** Why a client runs without the disk. */
  private readonly refusals = new Map<string, string>()

  /** @param relays between clients and whoever serves */
  constructor(
    private readonly shareId: string,
    private readonly relays: Relays
  ) {}

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
      const link = await clientLink(machine.live('asked').qmp, this.shareId)
      const served = link.kind !== 'connected' || link.transport === 'nbd' || this.relays.of(machine.definition.id)?.state?.exporter
      return served ? link : { ...link, kind: 'waiting' }
    } catch {
      return { kind: 'none' } // it has just ended, which is told by its own state
    }
  }

  /** @param reason null: there is none any more */
  noteRefusal(machineId: string, reason: string | null): void {
    if (reason === null) this.refusals.delete(machineId)
    else this.refusals.set(machineId, reason)
  }

  /** What was wrong with a client that is off is over. */
  forgetOff(clients: readonly ManagedMachine[]): void {
    for (const { state, definition } of clients) if (isOff(state)) this.refusals.delete(definition.id)
  }

  /** How a client is, and why, where that is known. */
  stateOf({ state, definition: { id } }: ManagedMachine, server: ShareServer, refusing: boolean): Pick<ShareClient, 'state' | 'reason'> {
    const refusal = this.refusals.get(id) ?? null
    if (isOff(state) || state.kind === 'broken') return { state: 'off', reason: null }
    if (!isLive(state)) return { state: 'starting', reason: null }
    if (!this.hasDevice(id)) return { state: 'unplugged', reason: refusal }
    if (refusal !== null) return { state: 'waiting', reason: refusal }
    if (server.kind === 'hung') return { state: 'waiting', reason: HANGS }
    if (refusing) return { state: 'failing', reason: FAILING }
    const served = this.transportOf(id) === 'vhost-user-blk' || isServing(server)
    if (!served || this.links.get(id)?.kind === 'waiting') return { state: 'waiting', reason: server.kind === 'failed' ? server.message : null }
    return { state: 'connected', reason: this.relays.of(id)?.state?.unsure ? UNSURE : null }
  }
}

const HANGS = 'The process that serves it does not answer.'
const FAILING = 'Nobody has served it for longer than its guest is to wait: that gets I/O errors.'
const UNSURE = 'What served it ended suddenly, and a request of its guest may have been lost. If a program in the guest hangs, reset the machine.'
