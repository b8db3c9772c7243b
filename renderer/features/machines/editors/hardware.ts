import type { Forward, Host, Image, InputOf, MachineDefinition, Network } from '#contract'
import { allMachines } from '../../../app'
import { sizeArgument } from '../../../ui/size-text'

/** What wizard and settings edit alike, as it is typed: null is a number that is none. */
export interface Hardware {
  cpus: number | null
  memoryBytes: number | null
  accelerator: 'auto' | 'kvm' | 'tcg'
  firmware: 'bios' | 'uefi'
  tpm: boolean
  display: boolean
  sharedMemory: boolean
  networks: readonly NetworkRow[]
  forwards: readonly ForwardRow[]
}
export interface NetworkRow {
  kind: Network['kind']
  /** Of an isolated network or a bridge. */
  name: string
}
export interface ForwardRow {
  protocol: Forward['protocol']
  hostAddress: string
  hostPort: number | null
  guestPort: number | null
}

const MIB = 2 ** 20
const GIB = 2 ** 30

/** What the core gives a machine of this source when nothing is said; the same figures, so that the form shows what would be. */
export function defaultHardware(image: Image | null, host: Host | null): Hardware {
  const small = image?.kind === 'guest'
  const total = host?.memory.totalBytes ?? 4 * GIB
  return {
    cpus: Math.min(2, host?.cpu.count ?? 2),
    memoryBytes: small ? 256 * MIB : Math.min(2 * GIB, Math.floor(total / 2 / MIB) * MIB),
    accelerator: 'auto',
    firmware: 'bios',
    tpm: false,
    display: true,
    sharedMemory: false,
    networks: [{ kind: 'user', name: '' }],
    forwards: []
  }
}

export function hardwareOf(definition: MachineDefinition): Hardware {
  const { cpus, memoryBytes, accelerator, firmware, tpm, display, sharedMemory, nics } = definition
  return {
    cpus,
    memoryBytes,
    accelerator,
    firmware,
    tpm,
    display,
    sharedMemory,
    networks: nics.map(({ network }) => ({ kind: network.kind, name: network.kind === 'user' ? '' : network.name })),
    forwards: nics.flatMap((nic) => nic.forwards)
  }
}

type HardwareInput = Pick<
  InputOf<'machine.create'>,
  'cpus' | 'memory' | 'network' | 'forward' | 'firmware' | 'tpm' | 'display' | 'sharedMemory' | 'accelerator'
>

/** As the contract takes it. What is no number becomes 0, which the schema and `missingNumbers` refuse. */
export function hardwareInput(hardware: Hardware): HardwareInput {
  // One by one: a new machine is more than its hardware, and the contract refuses fields that it does not know.
  const { cpus, memoryBytes, networks, forwards, firmware, tpm, display, sharedMemory, accelerator } = hardware
  return {
    cpus: cpus ?? 0,
    memory: sizeArgument(memoryBytes ?? 0),
    network: networks.map(networkText),
    forward: hasUserNetwork(hardware) ? forwards.map(forwardText) : [],
    firmware,
    tpm,
    display,
    sharedMemory,
    accelerator
  }
}

export const hasUserNetwork = ({ networks }: Pick<Hardware, 'networks'>): boolean => networks.some((network) => network.kind === 'user')
const networkText = ({ kind, name }: NetworkRow): string => (kind === 'user' ? 'user' : `${kind}:${name}`)
const forwardText = ({ protocol, hostAddress, hostPort, guestPort }: ForwardRow): string =>
  [protocol, ...(hostAddress === '127.0.0.1' ? [] : [hostAddress]), hostPort ?? '', guestPort ?? ''].join(':')

/** A host port from 2222 on that no machine forwards yet. */
export function freeHostPort(also: readonly ForwardRow[] = []): number {
  const taken = new Set([
    ...also.map((row) => row.hostPort),
    ...allMachines().flatMap((machine) => machine.definition?.nics.flatMap((nic) => nic.forwards.map((forward) => forward.hostPort)) ?? [])
  ])
  for (let port = 2222; ; port++) if (!taken.has(port)) return port
}
