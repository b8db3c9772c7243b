import { z } from 'zod'
import { Name } from '../values'

/** Many machines from one snapshot, kept as one thing: the content of `labs/<id>.json`. */
export const LabRecord = z.object({
  schemaVersion: z.literal(1),
  id: z.string().regex(/^[a-z0-9-]{6,32}$/),
  /** What its machines' names begin with. */
  name: Name,
  createdAtMs: z.number(),
  snapshotId: z.string(),
  /** In order: the first is `ws-1`. */
  machines: z.array(z.object({ name: z.string(), machineId: z.string() }))
})
export type LabRecord = z.output<typeof LabRecord>

export const Lab = LabRecord.omit({ snapshotId: true }).extend({
  /** What it is made from; null when that is gone, and nothing can be made anew. */
  snapshot: z.object({ id: z.string(), name: z.string(), machine: z.string() }).nullable(),
  machines: z.array(
    z.object({
      /** As it is called now; one that is gone, as it was called. */
      name: z.string(),
      machineId: z.string(),
      /** Word for its state; null when the machine is gone. */
      state: z.string().nullable()
    })
  )
})
export type Lab = z.output<typeof Lab>
