import { z } from 'zod'
import { Forward, Name, Network } from '../values'
import { Disk } from './disk'
import { KernelBoot } from './image'

export const Firmware = z.enum(['bios', 'uefi'])

export const Nic = z.object({
  mac: z.string().regex(/^52:54:00(:[0-9a-f]{2}){3}$/),
  network: Network,
  /** Only for user networks. */
  forwards: z.array(Forward)
})
export type Nic = z.output<typeof Nic>

export const CloudInit = z.object({ hostname: z.string(), user: z.string(), sshKeys: z.array(z.string()) })
export type CloudInit = z.output<typeof CloudInit>

/** What a machine is: the content of `machine.json`. Nothing in it changes because the machine runs. */
export const MachineDefinition = z.object({
  schemaVersion: z.literal(1),
  id: z.uuid(),
  name: Name,
  createdAtMs: z.number(),
  notes: z.string(),
  tags: z.array(z.string()),
  cpus: z.number().int().min(1).max(255),
  memoryBytes: z.number().int().positive(),
  /** `auto`: KVM where it works, else TCG. */
  accelerator: z.enum(['auto', 'kvm', 'tcg']),
  firmware: Firmware,
  tpm: z.boolean(),
  /** A screen, on a private Unix socket (VNC). */
  display: z.boolean(),
  /** Guest RAM that other processes can map: needed by vhost-user clients. */
  sharedMemory: z.boolean(),
  /** Direct kernel boot, absolute paths; null boots from disk or CD. */
  kernel: KernelBoot.nullable(),
  disks: z.array(Disk),
  /** ISO images, absolute paths. */
  cdroms: z.array(z.object({ path: z.string(), imageId: z.string() })),
  nics: z.array(Nic),
  cloudInit: CloudInit.nullable(),
  /** The snapshot that it was restored from, or that was taken of it last: what is next is taken on top of it. */
  snapshot: z.string().optional()
})
export type MachineDefinition = z.output<typeof MachineDefinition>

/** How QEMU ended. */
export const MachineExit = z.object({
  atMs: z.number(),
  /** One sentence: `The guest powered off.`, `QEMU was killed by SIGKILL.` */
  reason: z.string(),
  exitCode: z.number().nullable(),
  signal: z.string().nullable(),
  /** Last lines of QEMU's log. */
  log: z.array(z.string())
})
export type MachineExit = z.output<typeof MachineExit>

/** The life cycle; its diagram and its transitions are in core/machine/state.ts. */
export const MachineState = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('created') }),
  z.object({ kind: z.literal('starting'), sinceMs: z.number() }),
  z.object({ kind: z.literal('running'), pid: z.number(), sinceMs: z.number() }),
  z.object({ kind: z.literal('paused'), pid: z.number(), sinceMs: z.number(), reason: z.string() }),
  /** The guest was asked to power off. After `deadlineMs` force is offered; it may still power off by itself. */
  z.object({
    kind: z.literal('stopping'),
    pid: z.number(),
    sinceMs: z.number(),
    deadlineMs: z.number(),
    askedBy: z.enum(['agent', 'acpi', 'force']),
    overdue: z.boolean()
  }),
  z.object({ kind: z.literal('stopped'), exit: MachineExit }),
  z.object({ kind: z.literal('crashed'), exit: MachineExit }),
  /** QEMU lives but its monitor cannot be had (its sockets are gone): it can only be ended by force. */
  z.object({ kind: z.literal('unreachable'), pid: z.number(), message: z.string() }),
  /** Its files cannot be used: damaged, or of a newer version. */
  z.object({ kind: z.literal('broken'), message: z.string() })
])
export type MachineState = z.output<typeof MachineState>

export const Machine = z.object({
  /** Null only for a broken machine. */
  definition: MachineDefinition.nullable(),
  id: z.string(),
  name: z.string(),
  state: MachineState,
  /** What the running QEMU was started with differs from the definition: these settings take effect at the next start. */
  pending: z.array(z.string()),
  /** The accelerator of the running QEMU, or the one it would use. */
  accelerator: z.enum(['kvm', 'tcg']),
  /** Whether the guest agent answered since the start. Null when not running. */
  agent: z.boolean().nullable(),
  /** Space its disks take on the host. */
  diskBytes: z.number()
})
export type Machine = z.output<typeof Machine>

/** One reading of a running machine's counters. Rates are left to the reader: divide by the difference in `atMs`. */
export const MetricsSample = z.object({
  atMs: z.number(),
  /** Processor time of the QEMU process so far, in seconds; may pass 1 s a second with several vCPUs. */
  cpuSeconds: z.number(),
  /** Host memory that belongs to QEMU (resident set). */
  residentBytes: z.number(),
  diskReadBytes: z.number(),
  diskWrittenBytes: z.number(),
  /** From the guest agent; null when it does not answer. */
  networkReceivedBytes: z.number().nullable(),
  networkSentBytes: z.number().nullable()
})
export type MetricsSample = z.output<typeof MetricsSample>

export const GuestInfo = z.object({
  hostname: z.string().nullable(),
  system: z.string().nullable(),
  kernel: z.string().nullable(),
  agentVersion: z.string(),
  interfaces: z.array(z.object({ name: z.string(), mac: z.string().nullable(), addresses: z.array(z.string()) })),
  fileSystems: z.array(z.object({ mountpoint: z.string(), type: z.string(), totalBytes: z.number().nullable(), usedBytes: z.number().nullable() }))
})
export type GuestInfo = z.output<typeof GuestInfo>
