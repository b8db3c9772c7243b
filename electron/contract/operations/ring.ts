import { z } from 'zod'
import { Ring, RingComparison, RingLoad } from '../models/ring'
import { operation } from '../operation'
import { FilePath, Size } from '../values'

const LargestLoad = 1_000_000

export const ringOperations = {
  'ring.show': operation({
    help: 'show the split-driver ring: its service, each client with its indexes, latencies and cache hits',
    input: z.object({}),
    result: Ring,
    reads: true
  }),
  'ring.start': operation({
    help: 'start the service that reads an image for the clients of the ring',
    input: z.object({
      file: FilePath.optional().meta({ description: 'the image, read as raw sectors; without it an image of random bytes is made', cli: '<file>' }),
      size: Size.default(64 * 2 ** 20).meta({ description: 'size of the image that is made: 64M' }),
      cachePercent: z.number().min(0).max(1).default(1).meta({ description: 'what the cache may take, in per cent of the image’s size' }),
      spinMicroseconds: z.number().int().min(0).max(100_000).default(300).meta({ description: 'how long it looks for work before it sleeps' }),
      threads: z.boolean().default(false).meta({ description: 'read the image by threads, not with io_uring' })
    }),
    result: Ring
  }),
  'ring.stop': operation({
    help: 'stop the service; its clients end, and its memory goes',
    input: z.object({}),
    result: z.object({ said: z.string() })
  }),
  'ring.load': operation({
    help: 'let client programs read random sectors through the ring, and check what they read',
    input: z.object({
      clients: z.number().int().min(1).max(32).default(3).meta({ description: 'how many programs at once, each with a ring of its own' }),
      threads: z.number().int().min(1).max(256).default(4).meta({ description: 'threads of each; they share its ring' }),
      requests: z.number().int().min(1).max(LargestLoad).default(50_000).meta({ description: 'sectors that each reads' })
    }),
    result: z.object({
      clients: z.array(RingLoad),
      /** Jain's index of their rates: 1 when all have the same, 1/n when one has all. */
      fairness: z.number()
    }),
    task: true
  }),
  'ring.read': operation({
    help: 'read one sector through the ring, as a client of it',
    input: z.object({ sector: z.number().int().nonnegative().meta({ description: 'number of the sector, from 0', cli: '<sector>' }) }),
    result: z.object({ sector: z.number(), ns: z.number(), bytesBase64: z.string() }),
    reads: true,
    positional: ['sector']
  }),
  'ring.compare': operation({
    help: 'read the same image through the ring, vhost-user-blk and NBD, one after the other',
    input: z.object({
      requestsAtATime: z.number().int().min(1).max(64).default(8).meta({ description: 'how many reads are open at a time' }),
      seconds: z.number().min(0.2).max(10).default(2).meta({ description: 'how long each way is read' })
    }),
    result: RingComparison,
    task: true
  })
}
