import { z } from 'zod'
import { machineRef } from './operations/machine'

/**
 * Two-way byte streams beside the operations, by name. In the window a stream is a MessagePort, over HTTP an upgraded
 * connection. The reader acknowledges what it has used (flow control), so that a flood waits at its source.
 */
const one = z.object({ machine: machineRef })
export const streams = {
  /** The serial console: output from `fromByte` of the console's log on (0: since the start), input as typed. */
  console: z.object({ machine: machineRef, fromByte: z.number().int().nonnegative().default(0) }),
  /** The screen: RFB (VNC) as QEMU speaks it. */
  display: one,
  /** QMP traffic as it happens, one JSON object a line: `{ atMs, direction: "sent" | "received", message }`. Nothing is read. */
  'qmp-traffic': one
} as const
export type StreamName = keyof typeof streams
export type StreamInput<S extends StreamName> = z.input<(typeof streams)[S]>
export const isStreamName = (name: string): name is StreamName => Object.hasOwn(streams, name)

/** One line of the `qmp-traffic` stream. */
export const QmpTraffic = z.object({ atMs: z.number(), direction: z.enum(['sent', 'received']), message: z.unknown() })
export type QmpTraffic = z.output<typeof QmpTraffic>
