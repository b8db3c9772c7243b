import { z } from 'zod'

/**
 * X-ray: what QEMU's block layer does with the image files of a machine's disks, as its own trace events tell it. Bytes and counts are
 * since the X-ray began, unless they say otherwise.
 */
const counts = {
  /** Reads that were asked of this layer, and bytes of them. What it does not hold it asks of the one below. */
  reads: z.number(),
  readBytes: z.number(),
  /** Of what was asked, what came from this layer itself: the rest came from below. */
  servedBytes: z.number(),
  writes: z.number(),
  writtenBytes: z.number(),
  /** Clusters that the layer got, because something was written where it held nothing yet (qcow2). */
  clusters: z.number()
}

/** One image file that QEMU has, or had, open. */
export const TraceFile = z.object({
  path: z.string(),
  /** The disk and the node of the layer; null of a file that is no layer of a disk, or no longer. */
  disk: z.string().nullable(),
  nodeName: z.string().nullable(),
  /** How often QEMU has opened it since it started: once as a file of the host, once for what that file means (its format). */
  opens: z.number(),
  ...counts,
  /** What its format made of it: reads and writes of the file itself, tables of the format included. */
  fileReads: z.number(),
  fileReadBytes: z.number(),
  fileWrites: z.number(),
  fileWrittenBytes: z.number()
})
export type TraceFile = z.output<typeof TraceFile>

/** What happened in a short while. Files in which nothing happened are left out. */
export const TraceSample = z.object({
  /** When it ended, and how long it was. */
  atMs: z.number(),
  lengthMs: z.number(),
  /** QEMU was watched for a part of the time only, and the rest was reckoned from that. */
  estimated: z.boolean(),
  files: z.array(z.object({ path: z.string(), ...counts }))
})
export type TraceSample = z.output<typeof TraceSample>

/** A line of the X-ray's log: a file was opened, a block job began or ended. */
export const TraceEvent = z.object({ number: z.number(), atMs: z.number(), kind: z.enum(['open', 'job']), text: z.string() })
export type TraceEvent = z.output<typeof TraceEvent>

export const Trace = z.object({
  machineId: z.string(),
  machine: z.string(),
  sinceMs: z.number(),
  atMs: z.number(),
  /** The guest asks for so much that QEMU is watched for a part of the time only: a few milliseconds once or twice a second. */
  sampled: z.boolean(),
  /** What the guest itself asked for, by disk; QEMU counts that exactly. */
  guest: z.array(z.object({ disk: z.string(), reads: z.number(), readBytes: z.number(), writes: z.number(), writtenBytes: z.number(), flushes: z.number() })),
  /** By disk, from the active layer down. */
  files: z.array(TraceFile),
  /** Of the last half minute; oldest first. */
  samples: z.array(TraceSample),
  /** Oldest first. */
  events: z.array(TraceEvent)
})
export type Trace = z.output<typeof Trace>
