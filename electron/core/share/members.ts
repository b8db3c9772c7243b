import { failure, Failure, NO_LIMITS, type ClientLimits, type Share, type ShareRecord } from '#contract'
import type { ManagedMachine } from '../machine/machine'
import type { Machines } from '../machine/machines'
import { isLive, isOff } from '../machine/state'
import type { Work } from '../task/work'
import type { Cluster } from './cluster'
import { unmountInGuest } from './guest-disk'
import { deviceId } from './plan'
import { requirePossible } from './possible'
import type { ManagedShare } from './share'
import { hasSharedMemory } from './transport'

export interface TakingOff {
  /** How long the guest may take to let go. */
  timeoutSeconds: number
  /** It does not unmount the disk first. A cluster file system it leaves all the same. */
  force: boolean
}

export interface Attaching {
  /** A machine that runs without shareable memory gets the disk at its next start, instead of over NBD now. */
  nextStart: boolean
}

/** What was just plugged in. */
const UNDOING: TakingOff = { timeoutSeconds: 20, force: false }
const PLUG_TRIES = 3
/** What QEMU refused, or nobody was there for: another who serves may be by then. */
const MAY_PASS: ReadonlySet<string> = new Set(['wrong-state', 'qmp'])
const LATER = 'Its memory becomes shareable at its next start; it gets the disk then.'

/** The machines that get shared disks: added, plugged in at their start, and taken off. */
export class Members {
  /** @param shares all that there are now */
  constructor(
    private readonly machines: Machines,
    private readonly cluster: Cluster,
    private readonly shares: () => ManagedShare[]
  ) {}

  /** The shares that a machine gets. */
  withClient(client: ManagedMachine): ManagedShare[] {
    return this.shares().filter((share) => share.record.clients.some(({ machineId }) => machineId === client.definition.id))
  }

  /** @param joins it is to be in a cluster @throws bad-input, already-exists, unsupported */
  requirePossible(record: ShareRecord, client: ManagedMachine, joins = record.cluster !== null): void {
    const { id } = client.definition
    const inCluster = this.shares().some((share) => share.record.cluster?.nodes.some(({ machineId }) => machineId === id))
    requirePossible(record, client, { shares: this.withClient(client).length, cluster: joins || inCluster })
  }

  /** Gives a machine the disk: at once when it runs, else at its next start. @throws bad-input, already-exists, unsupported, in-use, wrong-state */
  async attach(share: ManagedShare, client: ManagedMachine, options: Attaching, work: Work): Promise<Share> {
    this.requirePossible(share.record, client)
    const release = client.reserve(`${share.label} is being plugged in`)
    try {
      const { id } = client.definition
      if (!client.definition.sharedMemory) {
        await this.machines.redefine(client, { ...client.definition, sharedMemory: true })
        work.log(`“${client.name}” has shareable memory from its next start on.`)
      }
      await share.save({ ...share.record, clients: [...share.record.clients, { machineId: id, addedAtMs: Date.now(), version: null, limits: NO_LIMITS }] })
      work.onUndo(() => this.takeBack(share, client, UNDOING, new AbortController().signal))
      if (!isLive(client.state)) await share.level()
      else if (options.nextStart && !hasSharedMemory(client)) await this.refuse(share, client, LATER)
      else await this.plug(share, client, work)
      if (share.record.cluster) await this.cluster.add(share, [client], share.record.cluster.folder, work)
      return share.view()
    } finally {
      release()
    }
  }

  private async plug(share: ManagedShare, client: ManagedMachine, work: Work): Promise<void> {
    await share.plug(client, work.signal)
    const why = share.whyNbd(client)
    if (why !== null) work.log(`“${client.name}” has it over NBD: ${why}.`)
  }

  /** Its guest unmounts it first. @throws not-found, in-use (a program uses it), time-out (the guest keeps it); then nothing has changed */
  async detach(share: ManagedShare, client: ManagedMachine, options: TakingOff, work: Work): Promise<Share> {
    requireMember(share, client)
    const release = client.reserve(`${share.label} is being taken off`)
    try {
      work.phase(`asking “${client.name}” to let go of it`)
      await this.takeBack(share, client, options, work.signal)
      return share.view()
    } finally {
      release()
    }
  }

  /** Bounds what a machine may ask for, from now on. @throws not-found */
  async limit(share: ManagedShare, client: ManagedMachine, limits: Partial<ClientLimits>): Promise<Share> {
    requireMember(share, client)
    const clients = share.record.clients.map((one) => (one.machineId === client.definition.id ? { ...one, limits: { ...one.limits, ...limits } } : one))
    await share.save({ ...share.record, clients })
    await share.level()
    return share.view()
  }

  /** Plugs in what a machine shares that has just been started. What cannot be had it runs without. */
  async plugAll(client: ManagedMachine, work: Work): Promise<void> {
    for (const share of this.withClient(client)) {
      try {
        await this.plugPatiently(share, client, work)
      } catch (error) {
        if (work.signal.aborted) throw error
        const reason = error instanceof Error ? error.message : String(error)
        work.log(`“${client.name}” runs without ${share.label}: ${reason}`)
        await this.refuse(share, client, reason)
      }
    }
  }

  /** Whoever serves may give way just then, as when the owner starts at the same time: then it is tried again. */
  private async plugPatiently(share: ManagedShare, client: ManagedMachine, work: Work): Promise<void> {
    for (let tries = 1; tries < PLUG_TRIES; tries++) {
      try {
        return await this.plug(share, client, work)
      } catch (error) {
        if (work.signal.aborted || !(error instanceof Failure) || !MAY_PASS.has(error.error.code)) throw error
        work.log(`${share.label} could not be plugged in yet: ${error.message}`)
      }
    }
    return this.plug(share, client, work)
  }

  private refuse(share: ManagedShare, client: ManagedMachine, reason: string): Promise<void> {
    share.noteRefusal(client.definition.id, reason)
    return share.level()
  }

  /** Unplugs the disk from a client that runs, and takes it out of the record; its export goes. @throws in-use, time-out, wrong-state */
  private async takeBack(share: ManagedShare, client: ManagedMachine, { timeoutSeconds, force }: TakingOff, signal: AbortSignal): Promise<void> {
    const machineId = client.definition.id
    if (!isOff(client.state)) {
      if (share.record.cluster) await this.cluster.leave(share, client, timeoutSeconds)
      if (!force && share.hasDevice(machineId)) await unmountIfAsked(client, deviceId(share.record.id))
      await share.unplug(client, timeoutSeconds, signal)
    }
    const { clients, writer, cluster } = share.record
    const left = cluster && { ...cluster, nodes: cluster.nodes.filter((node) => node.machineId !== machineId) }
    await share.save({ ...share.record, cluster: left, writer: writer === machineId ? null : writer, clients: clients.filter((client) => client.machineId !== machineId) })
    await share.level()
  }
}

function requireMember(share: ManagedShare, { name, definition }: ManagedMachine): void {
  if (share.record.clients.some(({ machineId }) => machineId === definition.id)) return
  throw failure('not-found', `“${name}” does not have ${share.label}.`, { what: 'client', name, next: 'See the list of shares.' })
}

/** The guest cannot be asked, or does not see the disk. */
const NOT_ASKED: ReadonlySet<string> = new Set(['no-agent', 'unsupported', 'not-found'])

/**
 * Linux lets go of a disk that is mounted: a writer would lose what it keeps in its memory, and programs of a reader would get I/O errors. So it is
 * unmounted first, where the guest can be asked. @throws in-use
 */
async function unmountIfAsked(client: ManagedMachine, device: string): Promise<void> {
  try {
    await unmountInGuest(client, device, 'End in the guest what uses it, and try again; or say that it may be taken all the same (force).')
  } catch (error) {
    if (!(error instanceof Failure) || !NOT_ASKED.has(error.error.code)) throw error
  }
}
