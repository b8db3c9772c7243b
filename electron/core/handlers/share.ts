import type { OperationName } from '#contract'
import { asTask, type Context, type Handlers } from '../context'
import { diskTarget } from '../machine/disk-target'
import { benchTransports } from '../share/bench'
import { handOver } from '../share/hand-over'
import { shareLoad } from '../share/load'
import { mountShare } from '../share/mount'
import { publish } from '../share/publish'
import { refresh } from '../share/refresh'

/** `lab1:disk0`; without a disk the first one. */
function ownDisk(reference: string, context: Context): { machine: string; disk: string } {
  const [machine = '', disk] = reference.split(':')
  return { machine, disk: disk ?? context.machines.get(machine).definition.disks[0]?.id ?? 'disk0' }
}

const labelOf = (input: { share: string }, { shares }: Context): string => shares.get(input.share).label
const clientOf = (input: { machine: string }, { machines }: Context): string => machines.get(input.machine).name

export const shareHandlers: Handlers<Extract<OperationName, `share.${string}`>> = {
  'share.create': asTask(
    'share.create',
    (input) => `Share ${input.disk}`,
    (input) => input.disk,
    (input, context, work) => {
      const { machine, disk } = diskTarget(ownDisk(input.disk, context), context)
      const to = [...new Set(input.to.map((name) => context.machines.get(name)))]
      return context.shares.create({ machine, disk: disk.id, mode: input.mode, to, nextStart: input.nextStart, force: input.force, folder: input.bare ? null : input.mount, holdSeconds: input.hold || null, writeThrough: input.writeThrough }, work)
    }
  ),
  'share.list': async (_input, { shares }) => shares.list(),
  'share.show': async (input, { shares }) => shares.get(input.share).view(),
  'share.attach': asTask(
    'share.attach',
    (input, context) => `Give ${clientOf(input, context)} the disk ${labelOf(input, context)}`,
    clientOf,
    (input, { shares, machines }, work) => shares.members.attach(shares.get(input.share), machines.get(input.machine), input, work)
  ),
  'share.edit': ({ share, hold, writeThrough }, { shares }) => {
    const change = { ...(hold === undefined ? {} : { holdSeconds: hold || null }), ...(writeThrough === undefined ? {} : { writeThrough }) }
    return shares.get(share).edit(change)
  },
  'share.restart': asTask(
    'share.restart',
    (input, context) => `Restart what serves ${labelOf(input, context)}`,
    labelOf,
    (input, { shares }) => shares.get(input.share).restart(input.force)
  ),
  'share.limit': ({ share, machine, requests, bytes }, { shares, machines }) => {
    const limits = { ...(requests === undefined ? {} : { requestsPerSecond: requests || null }), ...(bytes === undefined ? {} : { bytesPerSecond: bytes || null }) }
    return shares.members.limit(shares.get(share), machines.get(machine), limits)
  },
  'share.contents': (input, context) => {
    const { machine, disk } = diskTarget(ownDisk(input.disk, context), context)
    return context.shares.contents(machine, disk.id)
  },
  'share.hand-over': asTask(
    'share.hand-over',
    (input, context) => `Let ${clientOf(input, context)} write to ${labelOf(input, context)}`,
    labelOf,
    (input, { shares, machines }, work) => handOver(shares.get(input.share), machines.get(input.machine), input, work)
  ),
  'share.mount': asTask(
    'share.mount',
    (input, context) => `Mount ${labelOf(input, context)} in ${clientOf(input, context)}`,
    clientOf,
    (input, { shares, machines }, work) => mountShare(shares, shares.get(input.share), machines.get(input.machine), input.folder, work)
  ),
  'share.load': (input, { shares }) => shareLoad(shares.get(input.share)),
  'share.refresh': (input, { shares }) => refresh(shares.get(input.share)),
  'share.publish': asTask(
    'share.publish',
    (input, context) => (input.live ? `Give readers of ${labelOf(input, context)} the disk itself` : `Publish ${labelOf(input, context)}`),
    labelOf,
    (input, context, work) => publish(context.shares.get(input.share), input, context, work)
  ),
  'share.bench': asTask(
    'share.bench',
    (input, context) => `Measure transports in ${clientOf(input, context)}`,
    clientOf,
    (input, { library, machines }, work) => benchTransports(library, machines.get(input.machine), input, work)
  ),
  'share.detach': asTask(
    'share.detach',
    (input, context) => `Take the disk ${labelOf(input, context)} from ${clientOf(input, context)}`,
    clientOf,
    (input, { shares, machines }, work) => shares.members.detach(shares.get(input.share), machines.get(input.machine), input, work)
  ),
  'share.remove': asTask(
    'share.remove',
    (input, context) => `End the share of ${labelOf(input, context)}`,
    labelOf,
    async (input, { shares }, work) => {
      const share = shares.get(input.share)
      const removed = share.label
      await shares.remove(share, input, work)
      return { removed }
    }
  )
}
