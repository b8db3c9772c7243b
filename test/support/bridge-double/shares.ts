import { failure, NO_LIMITS, type AnswerOf, type Machine, type OperationName, type ParsedInputOf, type Share, type ShareClient } from '#contract'
import { isLive, isOff } from '#core/machine/state'
import { mayWrite } from '#core/share/plan'
import type { World } from './world'

/** Shared disks of the double's world: records, and who would serve and have them. */
type ShareOperation = Extract<OperationName, `share.${string}`>
type ShareHandlers = { [N in ShareOperation]: (input: ParsedInputOf<N>, world: World) => AnswerOf<N> | Promise<AnswerOf<N>> }

const labelOf = (share: Share): string => `${share.machine}:${share.disk}`

function find(reference: string, world: World): Share {
  const found = [...world.shares.values()].find((share) => share.id === reference || labelOf(share) === reference)
  if (!found) throw failure('not-found', `“${reference}” is not shared.`, { what: 'share', name: reference })
  return current(found, world)
}

/** As it is with the machines as they are now. */
function current(share: Share, world: World): Share {
  const clients = share.clients.map((client) => clientOf(world.machine(client.machineId), client.writes, client))
  const owner = world.machine(share.machineId)
  if (clients.every(({ state }) => state === 'off')) return { ...share, clients, server: { kind: 'idle' } }
  return { ...share, clients, server: isOff(owner.state) ? { kind: 'daemon', pid: 4242 } : { kind: 'machine', machine: owner.name } }
}

function clientOf(machine: Machine, writes: boolean, before?: ShareClient): ShareClient {
  const base = { machineId: machine.id, machine: machine.name, ...overWhat(machine), writes, version: before?.version ?? null, limits: before?.limits ?? NO_LIMITS, reason: null }
  if (!isLive(machine.state)) return { ...base, state: 'off' }
  return before?.state === 'unplugged' ? before : { ...base, state: 'connected' }
}

/** A machine that runs with memory that others cannot map has it over NBD. */
const overWhat = ({ state, definition }: Machine): Pick<ShareClient, 'transport' | 'transportReason'> =>
  !isLive(state) || definition?.sharedMemory ? { transport: 'vhost-user-blk', transportReason: null } : { transport: 'nbd', transportReason: 'other processes cannot map its memory' }

function put(share: Share, world: World): Share {
  const fresh = current(share, world)
  world.shares.set(share.id, fresh)
  world.emit({ kind: 'share-changed', share: fresh })
  return fresh
}

function attach(share: Share, machine: Machine, world: World): Share {
  if (machine.id === share.machineId) throw failure('bad-input', `“${machine.name}” has the disk: it is its own.`, { field: 'machine' })
  return put({ ...share, clients: [...share.clients, clientOf(machine, share.mode === 'cluster')] }, world)
}

export const shareHandlers: ShareHandlers = {
  'share.list': (_input, world) => [...world.shares.values()].map((share) => current(share, world)),
  'share.show': (input, world) => find(input.share, world),
  'share.create': (input, world) => {
    const [name = '', disk = 'disk0'] = input.disk.split(':')
    const owner = world.machine(name)
    const sizeBytes = owner.definition?.disks.find(({ id }) => id === disk)?.sizeBytes ?? 0
    const id = (world.shares.size + 1).toString(16).padStart(8, '0')
    const empty: Share = { id, machineId: owner.id, machine: owner.name, disk, sizeBytes, mode: input.mode, ownerWrites: true, published: null, createdAtMs: Date.now(), holdSeconds: input.hold || null, writeThrough: input.writeThrough, server: { kind: 'idle' }, clients: [], cluster: null }
    const task = world.run('share.create', `Share ${input.disk}`, input.disk, async () => input.to.reduce((share, to) => attach(share, world.machine(to), world), put(empty, world)))
    return { taskId: task.id }
  },
  'share.restart': (input, world) => ({ taskId: world.run('share.restart', `Restart what serves ${input.share}`, input.share, async () => find(input.share, world)).id }),
  // A machine’s first disk is installed; one that was added is empty.
  'share.contents': (input) => [{ partition: null, kind: input.disk.endsWith(':disk0') ? 'ext4' : 'nothing', cluster: false }],
  'share.mount': (input, world) => ({
    taskId: world.run('share.mount', `Mount ${input.share} in ${input.machine}`, input.machine, async () => {
      const share = find(input.share, world)
      const writes = share.mode === 'cluster'
      return { machine: world.machine(input.machine).name, device: '/dev/vdb', folder: input.folder ?? `/mnt/${share.machine}-${share.disk}`, writes }
    }).id
  }),
  'share.load': (input, world) => {
    const { machineId, clients } = find(input.share, world)
    const having = [machineId, ...clients.filter(({ state }) => state === 'connected').map((client) => client.machineId)]
    const counters = { reads: 1000, writes: 10, readBytes: 4_096_000, writtenBytes: 40_960, readMs: 250, writeMs: 8 }
    return { atMs: Date.now(), counters: having.filter((id) => isLive(world.machine(id).state)).map((id) => ({ machineId: id, ...counters })) }
  },
  'share.refresh': (input, world) => {
    const { machine, clients } = find(input.share, world)
    const readers = clients.filter(({ state, writes }) => state === 'connected' && !writes)
    return { writer: machine, flushMs: 12, readers: readers.map((reader) => ({ machineId: reader.machineId, machine: reader.machine, state: 'fresh', folders: ['/mnt'], afterMs: 90, reason: null })) }
  },
  'share.publish': (input, world) => ({
    taskId: world.run('share.publish', `Publish ${input.share}`, input.share, async () => {
      const share = find(input.share, world)
      const version = input.live ? null : (share.published?.version ?? 0) + 1
      const clients = share.clients.map((client) => (client.writes ? client : { ...client, version }))
      put({ ...share, published: version === null ? null : { version, atMs: Date.now() }, clients }, world)
      const readers = clients.filter(({ state, writes }) => state === 'connected' && !writes)
      return {
        ...{ version, writer: share.machine, settled: true },
        readers: readers.map((reader) => ({ machineId: reader.machineId, machine: reader.machine, state: 'fresh' as const, folders: ['/mnt'], afterMs: 400, reason: null }))
      }
    }).id
  }),
  'share.bench': (input, world) => ({
    taskId: world.run('share.bench', `Measure transports in ${world.machine(input.machine).name}`, world.machine(input.machine).name, async () => ({
      machine: world.machine(input.machine).name,
      atMs: Date.now(),
      rounds: input.rounds,
      seconds: input.seconds,
      figures: [
        { workload: 'read-4k-1' as const, transport: 'vhost-user-blk' as const, perSecond: 9000, bytesPerSecond: 36e6, meanNs: 100_000, p99Ns: 300_000 },
        { workload: 'read-4k-1' as const, transport: 'nbd' as const, perSecond: 6000, bytesPerSecond: 24e6, meanNs: 150_000, p99Ns: 500_000 },
        { workload: 'read-4k-1' as const, transport: 'local' as const, perSecond: 9100, bytesPerSecond: 36e6, meanNs: 100_000, p99Ns: 300_000 }
      ]
    })).id
  }),
  'share.hand-over': (input, world) => ({
    taskId: world.run('share.hand-over', `Let ${input.machine} write to ${input.share}`, input.share, async () => {
      const share = find(input.share, world)
      const { id } = world.machine(input.machine)
      const writesTo = (machineId: string): boolean => mayWrite({ ...share, writer: id }, machineId)
      const clients = share.clients.map((client) => ({ ...client, writes: writesTo(client.machineId) }))
      return put({ ...share, ownerWrites: writesTo(share.machineId), clients }, world)
    }).id
  }),
  'share.attach': (input, world) => ({
    taskId: world.run('share.attach', `Give ${input.machine} the disk ${input.share}`, input.machine, async () => attach(find(input.share, world), world.machine(input.machine), world)).id
  }),
  'share.edit': (input, world) => {
    const share = find(input.share, world)
    return put({ ...share, holdSeconds: input.hold === undefined ? share.holdSeconds : input.hold || null, writeThrough: input.writeThrough ?? share.writeThrough }, world)
  },
  'share.limit': (input, world) => {
    const share = find(input.share, world)
    const { id } = world.machine(input.machine)
    const limits = { requestsPerSecond: input.requests || null, bytesPerSecond: input.bytes || null }
    return put({ ...share, clients: share.clients.map((client) => (client.machineId === id ? { ...client, limits } : client)) }, world)
  },
  'share.detach': (input, world) => ({
    taskId: world.run('share.detach', `Take the disk ${input.share} from ${input.machine}`, input.machine, async () => {
      const share = find(input.share, world)
      const { id } = world.machine(input.machine)
      return put({ ...share, clients: share.clients.filter((client) => client.machineId !== id) }, world)
    }).id
  }),
  'share.remove': (input, world) => ({
    taskId: world.run('share.remove', `End the share of ${input.share}`, input.share, async () => {
      const share = find(input.share, world)
      world.shares.delete(share.id)
      world.emit({ kind: 'share-removed', id: share.id })
      return { removed: labelOf(share) }
    }).id
  })
}
