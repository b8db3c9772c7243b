import { z } from 'zod'
import { Host } from './models/host'
import { Image } from './models/image'
import { Lab } from './models/lab'
import { Machine } from './models/machine'
import { Snapshot } from './models/snapshot'
import { Ring } from './models/ring'
import { Settings } from './models/settings'
import { Share } from './models/share'
import { Task } from './models/task'

/**
 * What changed, pushed to every face. `sequence` goes up by one from event to event of one library owner; whoever sees a
 * gap, or another `owner`, reads everything again.
 */
const change = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('machine-changed'), machine: Machine }),
  z.object({ kind: z.literal('machine-removed'), id: z.string() }),
  z.object({ kind: z.literal('image-changed'), image: Image }),
  z.object({ kind: z.literal('image-removed'), id: z.string() }),
  z.object({ kind: z.literal('share-changed'), share: Share }),
  z.object({ kind: z.literal('share-removed'), id: z.string() }),
  z.object({ kind: z.literal('snapshot-changed'), snapshot: Snapshot }),
  z.object({ kind: z.literal('snapshot-removed'), id: z.string() }),
  /** What is in the store is another now; it is read (`store.stats`). */
  z.object({ kind: z.literal('store-changed') }),
  z.object({ kind: z.literal('lab-changed'), lab: Lab }),
  z.object({ kind: z.literal('lab-removed'), id: z.string() }),
  z.object({ kind: z.literal('task-changed'), task: Task }),
  z.object({ kind: z.literal('settings-changed'), settings: Settings }),
  /** The service was started or has stopped, a load or a comparison has ended; what goes on in between is read (`ring.show`). */
  z.object({ kind: z.literal('ring-changed'), ring: Ring }),
  z.object({ kind: z.literal('host-changed'), host: Host })
])
export type Change = z.output<typeof change>
export const Event = z.intersection(z.object({ owner: z.string(), sequence: z.number() }), change)
export type Event = { owner: string; sequence: number } & Change
