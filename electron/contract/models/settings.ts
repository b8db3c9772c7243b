import { z } from 'zod'

export const Settings = z.object({
  schemaVersion: z.literal(1).default(1),
  theme: z.enum(['system', 'light', 'dark']).default('system'),
  /** How long a guest is asked to power off before force is offered. */
  stopTimeoutSeconds: z.number().int().min(1).max(3600).default(60),
  /** HTTP API on loopback TCP, beside the private Unix socket. */
  apiTcp: z.object({ enabled: z.boolean(), port: z.number().int().min(1024).max(65535) }).default({ enabled: false, port: 7411 }),
  /** What the commits of one disk may take on the host before the oldest is merged, and can no longer be undone. */
  historyBudgetBytes: z.number().int().nonnegative().default(10 * 2 ** 30),
  /** How big the chunks of new archives are. Those that are there stay as they are. */
  storeChunkBytes: z.number().int().positive().default(4096),
  /** Whether the memory of snapshots is saved into the store when nothing else goes on. */
  archiveSnapshots: z.boolean().default(true),
  /** What the memory files of snapshots that are in the store may take beside it. */
  snapshotCacheBytes: z.number().int().nonnegative().default(8 * 2 ** 30),
  /** The first-run welcome was seen. */
  welcomed: z.boolean().default(false)
})
export type Settings = z.output<typeof Settings>
