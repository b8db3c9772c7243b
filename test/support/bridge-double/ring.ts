import { failure, type AnswerOf, type OperationName, type ParsedInputOf, type Ring, type RingClient } from '#contract'
import type { World } from './world'

/** The ring lab of the double's world: a service that answers every look with more requests than the one before. */
type RingOperation = Extract<OperationName, `ring.${string}`>
type RingHandlers = { [N in RingOperation]: (input: ParsedInputOf<N>, world: World) => AnswerOf<N> | Promise<AnswerOf<N>> }

const SECTORS = 131_072
const LOOKS_APART_MS = 200
const A_LOOK = 2000
const off: Ring = { atMs: 0, service: { kind: 'off' }, clients: [], compared: null }
const rings = new WeakMap<World, Ring>()

export const ringOf = (world: World): Ring => rings.get(world) ?? off
/** Makes it so, and tells the window. */
export function setRing(world: World, ring: Ring): Ring {
  rings.set(world, ring)
  world.emit({ kind: 'ring-changed', ring })
  return ring
}

export function newClient(pid: number, slots: number): RingClient {
  const index = { producer: 0, consumer: 0 }
  return { pid, own: false, place: pid % 1024, joined: 1, slots, requests: index, responses: index, inFlight: 0, answered: 0, hits: 0, misses: 0, refused: 0, latencySumNs: 0, latency: Array<number>(64).fill(0) }
}

/** What has happened until the next look: two thousand answers, most of them after 96 to 128 µs. */
function later(client: RingClient): RingClient {
  const answered = client.answered + A_LOOK
  const latency = client.latency.map((count, bucket) => count + ([20, 33].includes(bucket) ? (bucket === 33 ? 1900 : 100) : 0))
  const requests = { producer: answered + 4, consumer: answered + 3 }
  return { ...client, answered, hits: client.hits + 100, misses: client.misses + 1900, requests, responses: { producer: answered, consumer: answered - 1 }, inFlight: 3, latencySumNs: client.latencySumNs + A_LOOK * 105_000, latency }
}

function requireServing(world: World): Ring {
  const ring = ringOf(world)
  if (ring.service.kind !== 'serving') throw failure('wrong-state', 'The ring is not served.', { name: 'ring', state: 'off', next: 'Start the service first.' })
  return ring
}

export const ringHandlers: RingHandlers = {
  'ring.show': (_input, world) => {
    const ring = ringOf(world)
    const next = { ...ring, atMs: ring.atMs + LOOKS_APART_MS, clients: ring.clients.map(later) }
    rings.set(world, next)
    return next
  },
  'ring.start': ({ file, size }, world) => {
    const cache = { sectors: 1200, bytes: 671_000, hits: 0, misses: 0 }
    const service = { kind: 'serving', pid: 4242, image: file ?? '/home/ada/Strata/ring/lab.img', sectors: size / 512, cache, reads: 'io_uring', requests: 0, sleeps: 0, clientsEver: 0 } as const
    return setRing(world, { ...ringOf(world), service })
  },
  'ring.stop': (_input, world) => {
    setRing(world, { ...requireServing(world), service: { kind: 'off' }, clients: [] })
    return { said: 'cache hit ratio: 0.0500 (5000 of 100000 reads)' }
  },
  'ring.read': ({ sector }, world) => {
    requireServing(world)
    if (sector >= SECTORS) throw failure('bad-input', `The image’s last sector is ${SECTORS - 1}.`, { field: 'sector' })
    return { sector, ns: 98_000, bytesBase64: Buffer.alloc(512, sector % 256).toString('base64') }
  },
  'ring.load': ({ clients, threads, requests }, world) => {
    requireServing(world)
    const task = world.run('ring.load', `Load on the ring: ${clients} × ${threads} threads`, 'ring', async (work) => {
      const pids = Array.from({ length: clients }, (_, index) => 5000 + index)
      setRing(world, { ...requireServing(world), clients: pids.map((pid) => newClient(pid, Math.max(16, threads))) })
      await work.pass(4000)
      setRing(world, { ...ringOf(world), clients: [] })
      const figures = { maxNs: 9_000_000, meanNs: 105_000, minNs: 1100, deviationNs: 60_000, perSecond: 21_000 }
      return { clients: pids.map((pid) => ({ pid, threads, requests, ...figures })), fairness: 0.999 }
    })
    return { taskId: task.id }
  },
  'ring.compare': (input, world) => {
    const { service } = requireServing(world)
    const task = world.run('ring.compare', 'Compare ring, vhost-user-blk and NBD', 'ring', async (work) => {
      await work.pass(2000)
      const way = (name: 'ring' | 'vhost-user-blk' | 'nbd', perSecond: number) => ({ name, perSecond, meanNs: 8e9 / perSecond, medianNs: 7e9 / perSecond, p99Ns: 3e10 / perSecond })
      const compared = { atMs: Date.now(), image: service.kind === 'serving' ? service.image : '', ...input, ways: [way('ring', 33_760), way('vhost-user-blk', 38_110), way('nbd', 23_262)] }
      setRing(world, { ...ringOf(world), compared })
      return compared
    })
    return { taskId: task.id }
  }
}
