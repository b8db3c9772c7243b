import { z } from 'zod'
import { Name } from '../values'
import { MachineDefinition } from './machine'
import { Accelerator } from './host'

/**
 * How the memory of a machine is written out. `copied`: it is copied while the guest goes on, which then stands still for what it changed meanwhile.
 * `background`: QEMU writes it while the guest goes on. `stopped`: the guest stands still for that time.
 */
export const CaptureMethod = z.enum(['copied', 'background', 'stopped'])
export type CaptureMethod = z.output<typeof CaptureMethod>

/** What a snapshot holds of a machine that was on: its memory and the state of its devices. */
export const SnapshotMemory = z.object({
  /** The flat file of guest memory as it was written: a machine that damages it, or anybody else, is noticed. */
  ram: z.object({ sizeBytes: z.number(), modifiedAtMs: z.number() }),
  devicesSha256: z.string(),
  /** What can load it again: the same machine type and accelerator, and no older QEMU. */
  qemuVersion: z.string(),
  machineType: z.string(),
  accelerator: Accelerator,
  /** Version of the arrangement of devices that Strata gives machines. */
  deviceLayout: z.number().int(),
  /** Disks that were plugged in while it ran, and where. */
  plugged: z.record(z.string(), z.string()),
  /** Whether the guest agent answered. */
  agent: z.boolean(),
  method: CaptureMethod,
  /** How long the guest stood still. */
  stallMs: z.number()
})
export type SnapshotMemory = z.output<typeof SnapshotMemory>

/** The content of `snapshot.json`. It is written last: a snapshot is whole from the moment it exists. */
export const SnapshotRecord = z.object({
  schemaVersion: z.literal(1),
  id: z.string().regex(/^[a-z0-9-]{6,32}$/),
  name: Name,
  note: z.string(),
  takenAtMs: z.number(),
  machineId: z.string(),
  /** What the machine was called then. */
  machine: z.string(),
  /** The snapshot that the machine had been restored from, or taken last. */
  parentId: z.string().nullable(),
  /** The machine as it was: its disks end at the sealed layers, which are files of the snapshot too. */
  definition: MachineDefinition,
  /** Null of a machine that was off. */
  memory: SnapshotMemory.nullable(),
  /** Its memory is in the store, too: under this name. */
  archive: z.object({ name: z.string(), atMs: z.number() }).optional(),
  /** What the guest did then. */
  was: z.enum(['running', 'paused', 'off']),
  /** Whether there is a picture of the screen. */
  screen: z.boolean()
})
export type SnapshotRecord = z.output<typeof SnapshotRecord>

export const Snapshot = SnapshotRecord.omit({ definition: true, memory: true, archive: true }).extend({
  cpus: z.number(),
  memoryBytes: z.number(),
  disks: z.number(),
  method: CaptureMethod.nullable(),
  stallMs: z.number().nullable(),
  /** What it takes on the host: what would be free without it, and what it has in common with others. */
  ownBytes: z.number(),
  sharedBytes: z.number(),
  /** Names of the machines that stand on it now. */
  here: z.array(z.string()),
  /** When its memory was saved into the store; null when it was not. */
  archivedAtMs: z.number().nullable(),
  /** Whether a machine can go on from it at once. Otherwise its memory is loaded from the store first. */
  ready: z.boolean(),
  /** Why it cannot be restored on this computer. */
  problem: z.string().nullable()
})
export type Snapshot = z.output<typeof Snapshot>

/** What taking a snapshot now would mean for the guest. */
export const SnapshotPlan = z.object({
  /** `off`: only the disks are taken. */
  method: z.union([CaptureMethod, z.literal('off')]),
  /** Why the guest has to stand still, when it has to. */
  reason: z.string().nullable(),
  /** How long it will stand still, roughly. */
  expectedStallMs: z.number(),
  /** Why none can be taken now. */
  problem: z.string().nullable()
})
export type SnapshotPlan = z.output<typeof SnapshotPlan>

/** What a clone was given anew, so that it is not taken for the machine that it was made from. */
export const Renewal = z.object({
  machine: z.string(),
  /** In words, as in `host name: ws-2`. */
  renewed: z.array(z.string()),
  /** What could not be renewed, with the reason. */
  left: z.array(z.string())
})
export type Renewal = z.output<typeof Renewal>
