import { z } from 'zod'
import { Host } from '../models/host'
import { Settings } from '../models/settings'
import { operation } from '../operation'
import { Size } from '../values'
import { ChunkSize } from './store'

export const hostOperations = {
  'host.show': operation({
    help: 'show the computer: QEMU, accelerators, memory, free disk, and why something is not available',
    input: z.object({ refresh: z.boolean().default(false).meta({ description: 'look again instead of answering what is known' }) }),
    result: Host,
    reads: true
  }),
  'settings.show': operation({ help: 'show the settings', input: z.object({}), result: Settings, reads: true }),
  'settings.edit': operation({
    help: 'change settings; what is not named stays',
    input: z.object({
      theme: z.enum(['system', 'light', 'dark']).optional().meta({ description: 'colours of the window' }),
      stopTimeoutSeconds: z.number().int().min(1).max(3600).optional().meta({ description: 'seconds a guest is asked to power off before force is offered' }),
      apiTcp: z.boolean().optional().meta({ description: 'serve the HTTP API on loopback TCP too' }),
      apiPort: z.number().int().min(1024).max(65535).optional().meta({ description: 'port of the HTTP API on loopback TCP' }),
      historyBudget: Size.optional().meta({ description: 'what the commits of one disk may take before the oldest is merged for good' }),
      storeChunk: ChunkSize.optional().meta({ description: 'how big the chunks of new archives in the store are' }),
      archiveSnapshots: z.boolean().optional().meta({ description: 'save the memory of snapshots into the store when nothing else goes on' }),
      snapshotCache: Size.optional().meta({ description: 'what the memory files of snapshots that are in the store may take beside it' }),
      welcomed: z.boolean().optional().meta({ description: 'the first-run welcome was seen' })
    }),
    result: Settings
  }),
  'api.show': operation({
    help: 'show where the HTTP API listens and the file that holds its token',
    input: z.object({}),
    result: z.object({
      socketPath: z.string(),
      tcp: z.discriminatedUnion('enabled', [
        z.object({ enabled: z.literal(true), url: z.string(), tokenFile: z.string() }),
        z.object({ enabled: z.literal(false), reason: z.string() })
      ])
    }),
    reads: true
  })
}
