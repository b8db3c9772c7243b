import { failure, Failure, toAppError, type RefreshedReader, type SharePublication } from '#contract'
import type { Context } from '../context'
import { activeLayer } from '../disk/stack'
import { diskTarget, reserved, type DiskTarget } from '../machine/disk-target'
import type { ManagedMachine } from '../machine/machine'
import { finishPending, prune, sealActive } from '../machine/overlays'
import { isLive } from '../machine/state'
import type { Work } from '../task/work'
import { whileFrozen } from './freeze'
import { mayWrite } from './plan'
import { addressIn } from './refresh'
import { Seat } from './seat'
import type { ManagedShare } from './share'

interface Publishing {
  /** The other way: readers get the disk itself. */
  live: boolean
  timeoutSeconds: number
}

/**
 * Seals what was written to a shared disk as a commit, and gives every reader that as a new disk. It does not change any more, so that a plain file
 * system on it is read as it was at that moment, for as long as one likes; the writer goes on, on an overlay. Nothing is copied. A reader whose guest
 * keeps the disk busy keeps what it had, and is told of.
 * @throws wrong-state, in-use (a storage daemon has the files), no-space
 */
export async function publish(share: ManagedShare, options: Publishing, context: Context, work: Work): Promise<SharePublication> {
  const target = targetOf(share, context)
  const seats = share.clients.filter((client) => !mayWrite(share.record, client.definition.id) && isLive(client.state) && share.hasDevice(client.definition.id))
  const releases = seats.map((client) => client.reserve(`${share.label} is being published`))
  try {
    const sealed = options.live ? { version: null, writer: null, settled: true } : await sealNow(share, target, work)
    const startedAt = performance.now()
    await announce(share, sealed.version, seats)
    work.phase('giving it to its readers')
    const readers = await Promise.all(seats.map((client) => change(share, client, options, startedAt, work)))
    // After the readers have left them, commits that were published before may be merged.
    if (!share.openedBy) await reserved(target, 'has its history shortened', () => prune(target, context.settings.value.historyBudgetBytes, work))
    return { ...sealed, readers }
  } finally {
    releases.forEach((release) => release())
    await share.level()
  }
}

function targetOf(share: ManagedShare, context: Context): DiskTarget {
  const { record, owner, label } = share
  if (record.mode === 'cluster') {
    throw failure('wrong-state', `On ${label} all write: its file system keeps them in step by itself.`, { name: label, state: 'cluster' })
  }
  if (!owner) throw failure('not-found', `The machine that ${label} belongs to is not to be had.`, { what: 'machine', name: record.machineId })
  const target = diskTarget({ machine: owner.definition.id, disk: record.disk }, context)
  if (activeLayer(target.disk).temporary) {
    throw failure('wrong-state', `${label} is on an overlay for this run alone, and what is published stays.`, { name: label, state: 'temporary', next: `Keep it first: strata overlay keep ${label.replace(':', ' ')}` })
  }
  return target
}

/** Makes the commit, while the writer's guest holds its file systems still. */
async function sealNow(share: ManagedShare, target: DiskTarget, work: Work): Promise<Omit<SharePublication, 'readers'>> {
  const writer = writerOf(share)
  const seal = (): Promise<void> => sealActive(target, { note: 'published', renew: true }, work)
  const settled = await reserved(target, 'is being published', async () => {
    await finishPending(target, work)
    if (writer) return settledWhile(share, writer, seal, work)
    await seal()
    return true
  })
  const version = target.disk.layers.find(({ commit }) => commit)!.commit!.sequence // made by `seal`
  return { version, writer: writer?.name ?? null, settled }
}

function writerOf(share: ManagedShare): ManagedMachine | null {
  const machines = [...(share.owner ? [share.owner] : []), ...share.clients]
  return machines.find(({ state, definition: { id } }) => isLive(state) && mayWrite(share.record, id)) ?? null
}

/** A guest that cannot be asked is not waited for: the version is as a disk is after a power cut, and that is told. */
async function settledWhile(share: ManagedShare, writer: ManagedMachine, seal: () => Promise<void>, work: Work): Promise<boolean> {
  let sealed = false
  try {
    return await whileFrozen(writer, await addressIn(share, writer), async () => {
      await seal()
      sealed = true
    })
  } catch (error) {
    if (!(error instanceof Failure) || !CANNOT_BE_ASKED.includes(error.error.code)) throw error
    work.log(`“${writer.name}” could not be asked to hold still: ${error.error.message}`)
    if (!sealed) await seal()
    return false
  }
}
const CANNOT_BE_ASKED: readonly string[] = ['no-agent', 'unsupported', 'program-failed', 'not-found', 'time-out']

/** Written down first: whoever gets the disk from now on gets this. */
function announce(share: ManagedShare, published: number | null, seats: readonly ManagedMachine[]): Promise<void> {
  const isSeated = (id: string): boolean => seats.some(({ definition }) => definition.id === id)
  return share.save({ ...share.record, published, clients: share.record.clients.map((client) => (isSeated(client.machineId) ? client : { ...client, version: published })) })
}

/** A reader's guest unmounts the disk and lets go of it, gets the version in its place, and mounts that where it had the disk. */
async function change(share: ManagedShare, client: ManagedMachine, { timeoutSeconds }: Publishing, startedAt: number, work: Work): Promise<RefreshedReader> {
  const seat = new Seat(share, client, { unmounted: false, timeoutSeconds })
  const told = (state: RefreshedReader['state'], reason: string | null = null): RefreshedReader => ({
    ...{ machineId: client.definition.id, machine: client.name, state, reason },
    ...{ folders: seat.folders.map(({ folder }) => folder), afterMs: performance.now() - startedAt }
  })
  try {
    await seat.leave(work.signal)
    await seat.plug(work.signal)
    await seat.mountAll(seat.folders, work)
    return told(seat.folders.length > 0 ? 'fresh' : 'unmounted')
  } catch (error) {
    const { code, message, causes } = toAppError(error)
    if (error instanceof Failure) await seat.mountAll(seat.folders, work) // it kept the device, and had unmounted it
    return told(code === 'in-use' || code === 'time-out' ? 'busy' : 'unasked', [message, ...causes].join(' '))
  }
}
