import { failure, type Share } from '#contract'
import type { ManagedMachine } from '../machine/machine'
import { isLive, isOff } from '../machine/state'
import type { Work } from '../task/work'
import { requireOthersMayWrite } from './guard'
import { mayWrite } from './plan'
import { Seat, type Folder, type Leaving } from './seat'
import type { ManagedShare } from './share'

export interface HandingOver extends Leaving {
  mount?: string | undefined
}

/**
 * Lets another machine write. Both guests unmount the disk and, where they got it from the share, let go of it: whether a disk can be written to a
 * guest learns once, when it finds the device. Then the exports are made anew, and both get it back. What fails on the way is undone.
 * @throws wrong-state, not-found, in-use (a guest cannot unmount it), no-agent, unsupported, time-out
 */
export async function handOver(share: ManagedShare, to: ManagedMachine, options: HandingOver, work: Work): Promise<Share> {
  const from = requireWriters(share, to)
  if (from === to) return share.view()
  const { owner } = share
  if (owner && isLive(owner.state)) await requireOthersMayWrite(owner.live('asked').qmp, share.record.disk, share.label)
  const seats = [...(from ? [new Seat(share, from, options)] : []), new Seat(share, to, options)]
  const releases = seats.map(({ machine }) => machine.reserve(`${share.label} is being handed over`))
  try {
    for (const seat of seats) {
      work.phase(`unmounting it in “${seat.machine.name}”`)
      work.onUndo(() => seat.takeAgain(new AbortController().signal))
      await seat.leave(work.signal)
    }
    const { writer } = share.record
    work.onUndo(() => setWriter(share, writer))
    await setWriter(share, to.definition.id)
    for (const seat of seats.toReversed()) {
      work.phase(`giving it to “${seat.machine.name}”`)
      await seat.plug(work.signal)
    }
    // From here on the disk has changed hands: a folder that cannot be mounted is told, and takes nothing back.
    const folders = foldersFor(seats, options)
    for (const seat of seats.toReversed()) await seat.mountAll(seat.machine === to ? folders : seat.folders, work)
    return share.view()
  } finally {
    releases.forEach((release) => release())
  }
}

async function setWriter(share: ManagedShare, writer: string | null): Promise<void> {
  await share.save({ ...share.record, writer })
  await share.level()
}

/** @returns who writes now; null when that machine is no more */
function requireWriters(share: ManagedShare, to: ManagedMachine): ManagedMachine | null {
  const { record, label, owner, clients } = share
  if (record.mode !== 'rw') {
    throw failure('wrong-state', `${label} is shared ${record.mode}: nothing is to be handed over.`, { name: label, state: record.mode, next: 'End the share, and share it rw.' })
  }
  if (to !== owner && !clients.includes(to)) {
    throw failure('not-found', `“${to.name}” does not have ${label}.`, { what: 'client', name: to.name, next: 'Give it to it first: share attach.' })
  }
  const from = [owner, ...clients].find((machine) => machine !== null && mayWrite(record, machine.definition.id)) ?? null
  for (const machine of [from, to]) if (machine) requireSettled(machine)
  return from
}

function requireSettled({ name, state }: ManagedMachine): void {
  if (isOff(state) || state.kind === 'running') return
  throw failure('wrong-state', `“${name}” is ${state.kind}, and its guest cannot be asked.`, { name, state: state.kind, next: 'Let it run, or stop it.' })
}

/** Where the new writer mounts it: as told, where it had it itself, or else where the machine had it that wrote before. */
function foldersFor(seats: readonly Seat[], { mount }: HandingOver): Folder[] {
  const [before = [], own = before] = seats.map(({ folders }) => folders)
  const known = own.length > 0 ? own : before
  return mount === undefined ? known : [{ partition: known[0]?.partition ?? '', folder: mount }]
}
