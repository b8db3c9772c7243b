import { z } from 'zod'

/**
 * One client's ring as the service shows it. The indexes run freely over 32 bits and wrap; an entry's place is its index modulo `slots`.
 * Each of `requests.producer - requests.consumer` requests waits to be taken, each of `responses.producer - responses.consumer`
 * responses to be read, and `inFlight` reads of the image are under way.
 */
export const RingClient = z.object({
  pid: z.number(),
  /** Strata itself (`ring.read`). */
  own: z.boolean(),
  /** Where its ring is in the service's table, and how many clients had that place up to this one: both together name a client. */
  place: z.number(),
  joined: z.number(),
  slots: z.number(),
  requests: z.object({ producer: z.number(), consumer: z.number() }),
  responses: z.object({ producer: z.number(), consumer: z.number() }),
  inFlight: z.number(),
  answered: z.number(),
  hits: z.number(),
  misses: z.number(),
  /** Requests that make no sense. */
  refused: z.number(),
  /** From seen by the service to answered, of all answers together. */
  latencySumNs: z.number(),
  /** Answers by their latency, two buckets an octave: 2k holds [2^k, 1.5 * 2^k) ns, 2k + 1 holds [1.5 * 2^k, 2^(k+1)) ns. */
  latency: z.array(z.number())
})
export type RingClient = z.output<typeof RingClient>

const Way = z.object({
  name: z.enum(['ring', 'vhost-user-blk', 'nbd']),
  perSecond: z.number(),
  meanNs: z.number(),
  medianNs: z.number(),
  p99Ns: z.number()
})
/** The same image read in three ways, one after the other. */
export const RingComparison = z.object({ atMs: z.number(), image: z.string(), requestsAtATime: z.number(), seconds: z.number(), ways: z.array(Way) })
export type RingComparison = z.output<typeof RingComparison>

/** What a client program of a load did; it read random sectors. */
export const RingLoad = z.object({
  pid: z.number(),
  threads: z.number(),
  requests: z.number(),
  maxNs: z.number(),
  meanNs: z.number(),
  minNs: z.number(),
  deviationNs: z.number(),
  perSecond: z.number()
})
export type RingLoad = z.output<typeof RingLoad>

export const RingService = z.discriminatedUnion('kind', [
  /** Its programs were not built: `reason` says what to do. */
  z.object({ kind: z.literal('missing'), reason: z.string() }),
  z.object({ kind: z.literal('off') }),
  z.object({
    kind: z.literal('serving'),
    pid: z.number(),
    image: z.string(),
    sectors: z.number(),
    cache: z.object({ sectors: z.number(), bytes: z.number(), hits: z.number(), misses: z.number() }),
    /** How the image is read. */
    reads: z.enum(['io_uring', 'threads']),
    requests: z.number(),
    /** Times that it had nothing to do. */
    sleeps: z.number(),
    clientsEver: z.number()
  })
])

/** The ring lab at one moment. Rates are the difference between two of them. */
export const Ring = z.object({
  /** Milliseconds of a clock that never jumps; of this computer since it started. */
  atMs: z.number(),
  service: RingService,
  clients: z.array(RingClient),
  compared: RingComparison.nullable()
})
export type Ring = z.output<typeof Ring>
