import { randomBytes, randomUUID } from 'node:crypto'
import { failure, type Disk, type Forward, type ImageRecord, type MachineDefinition, type Network, type Nic, type ParsedInputOf } from '#contract'
import { formatSize } from '#contract/format'
import type { Source } from '../disk/qemu-img'
import { newDisk } from '../disk/stack'
import { hostnameOf } from './command-line'

const MiB = 2 ** 20
const GiB = 2 ** 30
/** Below this a guest kernel does not come up; above, the host has no such memory. */
const LEAST_MEMORY_BYTES = 64 * MiB
const DEFAULT_DISK_BYTES = 20 * GiB

/** How a new machine's disk comes to be. */
export type DiskPlan =
  | { kind: 'empty'; disk: Disk }
  | { kind: 'overlay'; disk: Disk; image: ImageRecord }
  | { kind: 'copy'; disk: Disk; image: Source }

export interface MachinePlan {
  definition: MachineDefinition
  disks: DiskPlan[]
}

/** What this host can give a machine. */
export interface Limits {
  cpus: number
  memoryBytes: number
}

/**
 * What `machine.create` makes: a definition whose defaults boot unedited, and how its disks come to be. Pure but for the
 * identity and the MAC addresses it draws.
 * @param image the source, null for an empty machine
 */
export function planMachine(input: ParsedInputOf<'machine.create'>, image: ImageRecord | null, limits: Limits, nowMs: number): MachinePlan {
  const small = image?.kind === 'guest'
  if (image?.boot && input.kernel !== undefined) throw failure('bad-input', `“${image.name}” has a kernel of its own.`, { field: 'kernel' })
  const forwards = input.forward ?? []
  const networks = input.network ?? [{ kind: 'user' as const }]
  const definition: MachineDefinition = {
    schemaVersion: 1,
    id: randomUUID(),
    name: input.name,
    createdAtMs: nowMs,
    notes: input.notes ?? '',
    tags: [...new Set(input.tag ?? [])],
    cpus: input.cpus ?? Math.min(2, limits.cpus),
    memoryBytes: input.memory ?? (small ? 256 * MiB : Math.min(2 * GiB, Math.floor(limits.memoryBytes / 2 / MiB) * MiB)),
    accelerator: input.accelerator ?? 'auto',
    firmware: input.firmware ?? 'bios',
    tpm: input.tpm ?? false,
    display: input.display ?? true,
    sharedMemory: input.sharedMemory ?? false,
    kernel: image?.boot ?? (input.kernel === undefined ? null : { kernel: input.kernel, commandLine: input.append }),
    disks: [],
    cdroms: image?.kind === 'iso' ? [{ path: image.path, imageId: image.id }] : [],
    nics: networks.map((network) => newNic(network)),
    cloudInit: image?.kind === 'cloud' ? { hostname: input.hostname ?? hostnameOf(input.name), user: input.user ?? 'strata', sshKeys: input.sshKey ?? [] } : null
  }
  const disk = planDisk(input, image, nowMs)
  if (disk) definition.disks.push(disk.disk)
  return { definition: checked(withForwards(definition, forwards), limits), disks: disk ? [disk] : [] }
}

function planDisk(input: ParsedInputOf<'machine.create'>, image: ImageRecord | null, nowMs: number): DiskPlan | null {
  const holdsSystem = image !== null && image.kind !== 'iso'
  const sizeBytes = input.disk ?? (holdsSystem ? Math.max(image.virtualSizeBytes, image.kind === 'guest' ? GiB : 0) : DEFAULT_DISK_BYTES)
  if (!holdsSystem) {
    if (sizeBytes === 0) return null
    return { kind: 'empty', disk: newDisk('disk0', wholeSectors(sizeBytes), null, nowMs) }
  }
  if (sizeBytes < image.virtualSizeBytes) {
    throw failure('bad-input', `The disk cannot be smaller than its image “${image.name}” (${formatSize(image.virtualSizeBytes)}).`, { field: 'disk' })
  }
  if (input.copy) return { kind: 'copy', disk: newDisk('disk0', wholeSectors(sizeBytes), null, nowMs), image }
  return { kind: 'overlay', disk: newDisk('disk0', wholeSectors(sizeBytes), groundOf(image), nowMs), image }
}

export const groundOf = (image: ImageRecord): NonNullable<Disk['image']> => ({ path: image.path, format: image.format, imageId: image.id })
export const wholeSectors = (bytes: number): number => Math.ceil(bytes / 512) * 512

export function newNic(network: Network): Nic {
  const tail = [...randomBytes(3)].map((byte) => byte.toString(16).padStart(2, '0'))
  return { mac: ['52:54:00', ...tail].join(':'), network, forwards: [] }
}

/** The definition after `machine.edit`; what the input does not name stays. */
export function editDefinition(current: MachineDefinition, input: ParsedInputOf<'machine.edit'>, limits: Limits): MachineDefinition {
  const edited: MachineDefinition = {
    ...current,
    cpus: input.cpus ?? current.cpus,
    memoryBytes: input.memory ?? current.memoryBytes,
    accelerator: input.accelerator ?? current.accelerator,
    firmware: input.firmware ?? current.firmware,
    tpm: input.tpm ?? current.tpm,
    display: input.display ?? current.display,
    sharedMemory: input.sharedMemory ?? current.sharedMemory,
    notes: input.notes ?? current.notes,
    tags: input.tag ? [...new Set(input.tag)] : current.tags,
    nics: input.network ? editNics(current.nics, input.network) : current.nics
  }
  const forwards = input.forward ?? current.nics.flatMap((nic) => nic.forwards)
  const keeps = input.forward !== undefined || edited.nics.some((nic) => nic.network.kind === 'user')
  return checked(withForwards(edited, keeps ? forwards : []), limits)
}

/** An interface whose network stays in its place keeps its address, so that the guest knows it again. */
function editNics(current: Nic[], networks: Network[]): Nic[] {
  return networks.map((network, index) => {
    const before = current[index]
    return before ? { ...before, network } : newNic(network)
  })
}

/** The same definition with these forwards on its first user network and none elsewhere. */
function withForwards(machine: MachineDefinition, forwards: Forward[]): MachineDefinition {
  const first = machine.nics.findIndex((nic) => nic.network.kind === 'user')
  if (first < 0 && forwards.length > 0) {
    throw failure('bad-input', 'Port forwards need a user network, and the machine has none.', { field: 'forward', next: 'Add the network “user”, or leave the port forwards out.' })
  }
  return { ...machine, nics: machine.nics.map((nic, index) => ({ ...nic, forwards: index === first ? forwards : [] })) }
}

/** Throws `bad-input` naming the field where the parts contradict each other or the host. */
function checked(machine: MachineDefinition, limits: Limits): MachineDefinition {
  if (machine.memoryBytes < LEAST_MEMORY_BYTES) throw failure('bad-input', 'A machine needs at least 64 MiB of memory.', { field: 'memory' })
  if (machine.memoryBytes > limits.memoryBytes) {
    throw failure('bad-input', `The host has ${Math.floor(limits.memoryBytes / MiB)} MiB of memory, less than the machine would get.`, { field: 'memory' })
  }
  if (machine.cpus > limits.cpus * 8) {
    throw failure('bad-input', `The host has ${limits.cpus} processors; a machine can have at most eight times as many.`, { field: 'cpus' })
  }
  const ports = machine.nics.flatMap((nic) => nic.forwards.map((f) => `${f.protocol}:${f.hostAddress}:${f.hostPort}`))
  const twice = ports.find((port, index) => ports.indexOf(port) !== index)
  if (twice) throw failure('bad-input', `The host port ${twice} is forwarded twice.`, { field: 'forward' })
  return machine
}

const LABELS: Partial<Record<keyof MachineDefinition, string>> = {
  cpus: 'processors',
  memoryBytes: 'memory',
  accelerator: 'accelerator',
  firmware: 'firmware',
  tpm: 'TPM',
  display: 'display',
  sharedMemory: 'shared memory',
  nics: 'networks',
  cdroms: 'CDs',
  kernel: 'kernel'
}

/** The settings in which a definition differs from the one that the running QEMU was started with. */
export function pendingChanges(defined: MachineDefinition, running: MachineDefinition): string[] {
  return Object.entries(LABELS)
    .filter(([key]) => JSON.stringify(defined[key as keyof MachineDefinition]) !== JSON.stringify(running[key as keyof MachineDefinition]))
    .map(([, label]) => label)
}
