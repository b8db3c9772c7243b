import { failure, Failure, toAppError, type ClusterMember, type ClusterRecord, type Share } from '#contract'
import type { Library } from '../library/library'
import type { ManagedMachine } from '../machine/machine'
import { isLive, isOff } from '../machine/state'
import type { Qemu } from '../machine/qemu'
import { together } from '../task/together'
import { throwIfCancelled, type Work } from '../task/work'
import { joinInGuest, leaveInGuest, makeFileSystem, MOST_NODES, mountClusterDisk, readMark, removeMark, requireClusterAble, writeMark } from './cluster-guest'
import { ClusterNetwork, hasLink, LINK } from './cluster-link'
import { pciAddress, unmountInGuest } from './guest-disk'
import { deviceId } from './plan'
import type { ManagedShare } from './share'
import { Turns } from './turns'

/** The agent of a guest that has just been started. */
const AGENT_TIMEOUT_MS = 180_000
const LEAVE_SECONDS = 20
const MIB = 2 ** 20

type Standing = { kind: 'joining' } | { kind: 'mounted' } | { kind: 'out'; reason: string }

/**
 * Cluster file systems on shared disks. All shares of mode `cluster` in a library are one cluster of o2cb, the cluster stack in the kernel, as a guest can
 * be in one only. A guest forgets with its start that it was a node: whenever a member runs it is told anew, and mounts the disk again.
 */
export class Cluster {
  private readonly network: ClusterNetwork
  /** By share and machine; of members that run. */
  private readonly standings = new Map<string, Standing>()
  /** The QEMU in which a member was last told. */
  private readonly told = new Map<string, Qemu>()
  /** One file system is made and checked at a time. */
  private readonly turns = new Turns()
  private readonly stop = new AbortController()
  private ending: Promise<void> = Promise.resolve()

  /** @param shares all that there are now */
  constructor(
    library: Library,
    private readonly shares: () => ManagedShare[],
    private readonly isEmpty: (share: ManagedShare) => Promise<boolean>
  ) {
    this.network = new ClusterNetwork(library.runtime.cluster)
  }

  /** The number of a machine that is in another cluster already is its number here too. @throws unsupported (no number is left) */
  private recordFor(folder: string, machines: readonly ManagedMachine[], before: ClusterRecord | null = null): ClusterRecord {
    const known = this.shares().flatMap(({ record }) => record.cluster?.nodes ?? [])
    const nodes = [...(before?.nodes ?? [])]
    for (const { definition } of machines) {
      if (nodes.some(({ machineId }) => machineId === definition.id)) continue
      const taken = new Set([...known, ...nodes].map(({ number }) => number))
      const free = Array.from({ length: MOST_NODES }, (_, index) => index + 1).find((number) => !taken.has(number))
      const number = known.find(({ machineId }) => machineId === definition.id)?.number ?? free
      if (number === undefined) throw failure('unsupported', `A cluster has at most ${MOST_NODES} machines.`, {})
      nodes.push({ machineId: definition.id, number })
    }
    return { folder, nodes }
  }

  view(share: ManagedShare): Share['cluster'] {
    const { cluster } = share.record
    return cluster && { folder: cluster.folder, members: members(share).map((machine) => this.memberView(share, machine, numberOf(cluster, machine))) }
  }

  private memberView(share: ManagedShare, machine: ManagedMachine, node: number): ClusterMember {
    const base = { machineId: machine.definition.id, machine: machine.name, node }
    if (!isLive(machine.state)) return { ...base, state: 'off', reason: null }
    const standing = this.standings.get(keyOf(share, machine))
    if (standing?.kind === 'out') return { ...base, state: 'out', reason: standing.reason }
    if (!hasDisk(share, machine)) return { ...base, state: 'out', reason: 'It runs without the disk.' }
    return { ...base, state: standing?.kind === 'mounted' ? 'mounted' : 'joining', reason: null }
  }

  /** Adds machines to a share, and has those join that run. @throws what `join` throws */
  async add(share: ManagedShare, machines: readonly ManagedMachine[], folder: string, work: Work): Promise<void> {
    const before = share.record.cluster
    work.onUndo(() => share.save({ ...share.record, cluster: before }))
    await share.save({ ...share.record, cluster: this.recordFor(folder, machines, before) })
    await this.join(share, machines, work)
  }

  /**
   * Makes machines that run nodes, and mounts the disk in them; on an empty disk a file system is made first. What one writes is then read in the others.
   * @throws unsupported (a guest lacks what it needs), no-agent, missing-program, program-failed, time-out
   */
  async join(share: ManagedShare, machines: readonly ManagedMachine[], work: Work): Promise<void> {
    const running = machines.filter((machine) => isLive(machine.state) && hasDisk(share, machine))
    for (const machine of running) this.told.set(keyOf(share, machine), machine.live('joined'))
    try {
      work.phase('asking the guests')
      await together(running.map((machine) => machine.live('asked').agent.waitUntilReady({ signal: work.signal, timeoutMs: AGENT_TIMEOUT_MS })))
      await together(running.map(requireClusterAble))
      work.onUndo(() => together(running.map((machine) => this.leave(share, machine, LEAVE_SECONDS))).then(() => {}))
      await this.turns.take(() => this.joinInTurn(share, running, work))
      for (const machine of running) this.note(share, machine, { kind: 'mounted' })
    } catch (error) {
      for (const machine of running) this.note(share, machine, { kind: 'out', reason: toAppError(error).message })
      throw error
    }
  }

  private async joinInTurn(share: ManagedShare, running: readonly ManagedMachine[], work: Work): Promise<void> {
    const { folder } = clusterOf(share)
    work.phase('connecting the guests')
    await together(running.map((machine) => this.tellNodes(share, machine, work.signal)))
    await together(this.otherNodes(running).map(({ share: other, machine }) => this.tellNodes(other, machine, work.signal)))
    throwIfCancelled(work.signal)
    work.progress(0.1)
    const [first] = running
    if (first && (await this.isEmpty(share))) {
      work.phase(`making the file system in “${first.name}”`)
      await makeFileSystem(first, await diskAddress(share, first), share.record.disk, planFileSystem(share.disk!.sizeBytes, members(share).length))
    }
    throwIfCancelled(work.signal)
    work.progress(0.3)
    work.phase('mounting it in every guest')
    const folders = await together(running.map(async (machine) => mountClusterDisk(machine, await diskAddress(share, machine), folder)))
    running.forEach((machine, index) => work.log(`“${machine.name}” has it on ${folders[index]}.`))
    throwIfCancelled(work.signal)
    work.progress(0.9)
    work.phase('checking that each reads what another writes')
    await checkMarks(share, running.map((machine, index) => ({ machine, folder: folders[index]! })), work)
  }

  private async tellNodes(share: ManagedShare, machine: ManagedMachine, signal: AbortSignal): Promise<void> {
    const number = numberOf(clusterOf(share), machine)
    await this.network.plug(machine, number, signal)
    const nic = await pciAddress(machine.live('asked').qmp, LINK)
    const nodes = new Set(this.shares().flatMap(({ record }) => record.cluster?.nodes ?? []).map((node) => node.number))
    await joinInGuest(machine, number, nic!, [...nodes])
  }

  /** Machines that are nodes already, and have to know who joins. */
  private otherNodes(running: readonly ManagedMachine[]): { share: ManagedShare; machine: ManagedMachine }[] {
    const found = new Map<ManagedMachine, ManagedShare>()
    for (const share of this.shares()) {
      for (const machine of share.record.cluster ? members(share) : []) {
        if (isLive(machine.state) && !running.includes(machine) && this.standings.get(keyOf(share, machine))?.kind === 'mounted') found.set(machine, share)
      }
    }
    return [...found].map(([machine, share]) => ({ machine, share }))
  }

  /**
   * Unmounts the disk in a guest, and takes it out of the cluster when it has no other disk of it. One without an agent is not asked.
   * @throws in-use (a program keeps it), time-out
   */
  async leave(share: ManagedShare, machine: ManagedMachine, timeoutSeconds: number): Promise<void> {
    if (!isLive(machine.state)) return
    this.standings.delete(keyOf(share, machine))
    if (!(await hasLink(machine))) return
    try {
      if (hasDisk(share, machine)) await unmountInGuest(machine, deviceOf(share, machine))
      if (this.inAnother(share, machine)) return
      await leaveInGuest(machine)
    } catch (error) {
      if (!(error instanceof Failure) || error.error.code === 'in-use') {
        this.note(share, machine, { kind: 'mounted' })
        throw error
      }
    }
    await this.network.unplug(machine, timeoutSeconds, this.stop.signal)
  }

  private inAnother(share: ManagedShare, machine: ManagedMachine): boolean {
    return this.shares().some((other) => other !== share && other.record.cluster !== null && members(other).includes(machine))
  }

  /** A member has changed. One that has come to run joins again; when none runs, nobody needs the network. */
  noteMachine(share: ManagedShare, machine: ManagedMachine): void {
    if (!share.record.cluster || numberOf(share.record.cluster, machine) === 0) return // it is being added
    const key = keyOf(share, machine)
    if (machine.state.kind === 'running' && machine.running !== this.told.get(key)) return void this.joinAgain(share, machine)
    if (isLive(machine.state)) return
    this.standings.delete(key)
    this.endUnused()
  }

  /** The network ends when no member of any share runs. */
  endUnused(): void {
    const nodes = this.shares().flatMap((share) => (share.record.cluster ? members(share) : []))
    if (nodes.every(({ state }) => isOff(state))) this.ending = this.network.end().catch(() => {}) // ended with the next one
  }

  /** In the background: how it went is told beside its name. */
  private async joinAgain(share: ManagedShare, machine: ManagedMachine): Promise<void> {
    const qemu = machine.live('joined')
    this.told.set(keyOf(share, machine), qemu)
    this.standings.delete(keyOf(share, machine))
    await share.level() // which looks whether it has the disk
    if (!hasDisk(share, machine)) return
    const { signal } = this.stop
    await this.join(share, [machine], { signal, progress: () => {}, phase: () => {}, log: () => {}, onUndo: () => {}, pointOfNoReturn: () => {} }).catch(() => {}) // noted
  }

  private note(share: ManagedShare, machine: ManagedMachine, standing: Standing): void {
    this.standings.set(keyOf(share, machine), standing)
    void share.level()
  }

  async release(): Promise<void> {
    this.stop.abort()
    await this.ending
  }
}

/** What one writes the others read. A guest alone can only write. @throws wrong-state */
async function checkMarks(share: ManagedShare, places: readonly { machine: ManagedMachine; folder: string }[], work: Pick<Work, 'log'>): Promise<void> {
  const [writer, ...readers] = places
  if (!writer || readers.length === 0) return
  const mark = `${share.record.id}-${Date.now()}`
  await writeMark(writer.machine, writer.folder, mark)
  for (const { machine, folder } of readers) {
    const startedAt = performance.now()
    if ((await readMark(machine, folder)) !== mark) {
      throw failure('wrong-state', `“${machine.name}” does not read what “${writer.machine.name}” writes on ${share.label}.`, { name: share.label, state: 'not in step' })
    }
    work.log(`“${machine.name}” reads what “${writer.machine.name}” has written (${Math.round(performance.now() - startedAt)} ms).`)
  }
  await removeMark(writer.machine, writer.folder)
}

/** A journal for each machine that may have it mounted at once: eight at least, where the disk has room for them. @throws no-space (it has not) */
export function planFileSystem(sizeBytes: number, machines: number): { slots: number; journalMiB: number } {
  const mebibytes = sizeBytes / MIB
  if (mebibytes < Math.max(machines, 2) * 16) {
    throw failure('unsupported', `The disk is too small for a file system of ${machines} machines.`, { next: `Use one of ${Math.max(machines, 2) * 16} MiB or more.` })
  }
  const slots = Math.max(machines, Math.min(8, Math.floor(mebibytes / 16)))
  return { slots, journalMiB: mebibytes / slots >= 64 ? 8 : 4 }
}

/** The owner, and who has the disk from it. */
const members = (share: ManagedShare): ManagedMachine[] => [...(share.owner ? [share.owner] : []), ...share.clients]
const keyOf = (share: ManagedShare, machine: ManagedMachine): string => `${share.record.id} ${machine.definition.id}`
const numberOf = ({ nodes }: ClusterRecord, { definition }: ManagedMachine): number => nodes.find(({ machineId }) => machineId === definition.id)?.number ?? 0
const isOwner = (share: ManagedShare, { definition }: ManagedMachine): boolean => definition.id === share.record.machineId
const hasDisk = (share: ManagedShare, machine: ManagedMachine): boolean => isOwner(share, machine) || share.hasDevice(machine.definition.id)
export const deviceOf = (share: ManagedShare, machine: ManagedMachine): string => (isOwner(share, machine) ? `${share.record.disk}-device` : deviceId(share.record.id))

function clusterOf(share: ManagedShare): ClusterRecord {
  if (share.record.cluster) return share.record.cluster
  throw failure('wrong-state', `What is on ${share.label} is up to its guests.`, { name: share.label, state: share.record.mode })
}

async function diskAddress(share: ManagedShare, machine: ManagedMachine): Promise<string> {
  const address = await pciAddress(machine.live('asked').qmp, deviceOf(share, machine))
  if (address !== null) return address
  throw failure('not-found', `“${machine.name}” does not have the disk now.`, { what: 'disk', name: share.label, next: 'Try again in a moment.' })
}
