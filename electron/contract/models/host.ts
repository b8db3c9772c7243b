import { z } from 'zod'

/** Something the host may or may not offer, with the reason when it does not. */
export const Availability = z.discriminatedUnion('available', [
  z.object({ available: z.literal(true), detail: z.string() }),
  z.object({ available: z.literal(false), reason: z.string(), install: z.string().optional() })
])
export type Availability = z.output<typeof Availability>

export const Accelerator = z.enum(['kvm', 'tcg'])
export type Accelerator = z.output<typeof Accelerator>

export const QemuBinary = z.object({
  path: z.string(),
  /** As in `7.2.22`. */
  version: z.string(),
  /** QEMU's target, for example `x86_64`. */
  target: z.string(),
  machineTypes: z.array(z.object({ name: z.string(), description: z.string(), isDefault: z.boolean(), maxCpus: z.number() }))
})
export type QemuBinary = z.output<typeof QemuBinary>

export const Host = z.object({
  hostname: z.string(),
  system: z.string(),
  architecture: z.string(),
  cpu: z.object({ model: z.string(), count: z.number() }),
  memory: z.object({ totalBytes: z.number(), availableBytes: z.number() }),
  /** Load as the share of all processors in use over the last sample, 0 to 1. */
  cpuLoad: z.number(),
  library: z.object({ path: z.string(), freeBytes: z.number(), totalBytes: z.number() }),
  /** Null when QEMU is not installed; `qemuMissing` then says what to do. */
  qemu: QemuBinary.nullable(),
  qemuMissing: z.object({ message: z.string(), install: z.string() }).nullable(),
  /** The one new machines use, and every one with its reason. */
  accelerator: Accelerator,
  accelerators: z.record(Accelerator, Availability),
  uefi: Availability,
  tpm: Availability,
  bridge: Availability,
  isolatedNetworks: Availability,
  /** The built-in guest's image: whether it can be used, and why not. */
  builtinGuest: Availability
})
export type Host = z.output<typeof Host>
