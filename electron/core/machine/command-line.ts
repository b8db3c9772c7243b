import type { Accelerator, Disk, MachineDefinition, Network, Nic } from '#contract'
import { diskNodes, fileNode } from '../disk/nodes'
import { ALWAYS_ON } from '../trace/log-lines'
import type { MachinePaths, MachineRuntimePaths } from '../library/paths'

/**
 * Where a machine is to run: all that the command line needs beside the definition, found out beforehand, so that
 * building it is pure. Paths are absolute.
 */
export interface LaunchContext {
  accelerator: Accelerator
  paths: MachinePaths
  runtime: MachineRuntimePaths
  /** OVMF's code; its variables are the machine's own file. Null for BIOS. */
  uefiCode: string | null
  /** Folder of the switch's sockets, by isolated network name. */
  switches: Record<string, string>
  /** Do not run the first instruction. */
  paused: boolean
  /** The snapshot to go on from; null starts anew. */
  incoming: Incoming | null
}

/** Memory and devices of a snapshot, as QEMU is to take them over. */
export interface Incoming {
  /** Flat file of guest memory. It is mapped privately, so that any number of machines can stand on it; a file of the machine's own is mapped shared. */
  ram: string
  /** Stream of everything else. */
  devices: string
  /** The machine type by its full name, as `pc-q35-7.2`. */
  machineType: string
  /** Disks that had been plugged in, and the port of each. */
  plugged: Record<string, string>
  /** It is to wait for `migrate-incoming`, and for its disks: until then each device stands on an empty node of the disk's size. */
  deferred: boolean
}

/**
 * Version of the arrangement of devices below. It goes up with every change that a snapshot taken before could not be loaded into: another
 * device, another place.
 */
export const DEVICE_LAYOUT = 1
/** Descriptors that QEMU inherits: its lock is 3. */
export const DEVICES_FD = 4
export const DEVICES_URI = `fd:${DEVICES_FD}`

/**
 * QEMU's arguments for a machine. Device ids and node names are fixed by the definition, so that everything later
 * (hot-plug, overlays, snapshots) can name them. Source: qemu-system-x86_64(1), QEMU 7.2.
 */
export function buildCommandLine(machine: MachineDefinition, context: LaunchContext): string[] {
  return [
    ...identityArguments(machine, context),
    ...processorArguments(machine, context),
    ...memoryArguments(machine, context),
    ...firmwareArguments(machine, context),
    ...monitorArguments(context),
    ...traceArguments(context),
    ...consoleArguments(machine, context),
    ...agentArguments(context),
    ...displayArguments(machine, context),
    ...hotPlugArguments(),
    ...machine.disks.flatMap((disk, index) => diskArguments(disk, index, context)),
    ...machine.cdroms.flatMap((cdrom, index) => cdromArguments(`cdrom${index}`, cdrom.path, machine.disks.length + index)),
    ...(machine.cloudInit ? cdromArguments('cloud-init', context.paths.cloudInitSeed, null) : []),
    ...machine.nics.flatMap((nic, index) => nicArguments(nic, index, context)),
    ...tpmArguments(machine, context),
    ...(context.incoming ? ['-incoming', context.incoming.deferred ? 'defer' : DEVICES_URI] : []),
    ...(context.paused ? ['-S'] : [])
  ]
}

function identityArguments(machine: MachineDefinition, context: LaunchContext): string[] {
  return [
    ...['-name', `guest=${machine.name},debug-threads=on`],
    ...['-uuid', machine.id],
    ...['-nodefaults', '-no-user-config'],
    ...['-sandbox', `on,obsolete=deny,elevateprivileges=${needsHelper(machine) ? 'allow' : 'deny'},spawn=${needsHelper(machine) ? 'allow' : 'deny'},resourcecontrol=deny`],
    ...['-pidfile', context.runtime.pid],
    ...['-rtc', 'base=utc'],
    // Another one at every start: a guest that goes on from a snapshot notices that time has forked, and renews its random numbers.
    ...['-device', 'vmgenid,id=generation0,guid=auto']
  ]
}

/** A bridged interface is set up by qemu-bridge-helper, a program that QEMU starts. */
const needsHelper = (machine: MachineDefinition): boolean => machine.nics.some((nic) => nic.network.kind === 'bridge')

function processorArguments(machine: MachineDefinition, context: LaunchContext): string[] {
  const firmware = context.uefiCode ? ',pflash0=uefi-code,pflash1=uefi-variables' : ''
  return [
    ...['-machine', `${context.incoming?.machineType ?? 'q35'},memory-backend=mem,hpet=off,vmport=off${firmware}`],
    ...['-accel', context.accelerator === 'tcg' ? 'tcg,thread=multi' : 'kvm'],
    ...['-cpu', context.accelerator === 'tcg' ? 'max' : 'host'],
    ...['-smp', `cpus=${machine.cpus},sockets=1,cores=${machine.cpus},threads=1`]
  ]
}

function memoryBackend({ sharedMemory }: MachineDefinition, { incoming }: LaunchContext): string {
  if (incoming) return `memory-backend-file,id=mem,mem-path=${escaped(incoming.ram)},share=${sharedMemory ? 'on' : 'off'}`
  return 'memory-backend-memfd,id=mem,share=on'
}

function memoryArguments(machine: MachineDefinition, context: LaunchContext): string[] {
  const backend = memoryBackend(machine, context)
  return [
    ...['-m', `size=${machine.memoryBytes}B`],
    ...['-object', `${backend},size=${machine.memoryBytes}`],
    ...['-device', 'virtio-balloon-pci,id=balloon0'],
    ...['-object', 'rng-random,id=entropy,filename=/dev/urandom', '-device', 'virtio-rng-pci,id=rng0,rng=entropy']
  ]
}

function firmwareArguments(machine: MachineDefinition, context: LaunchContext): string[] {
  const pflash = context.uefiCode
    ? [
        ...blockdev({ driver: 'raw', 'node-name': 'uefi-code', 'read-only': true, file: fileNode(context.uefiCode) }),
        ...blockdev({ driver: 'raw', 'node-name': 'uefi-variables', file: fileNode(context.paths.uefiVariables) })
      ]
    : []
  if (!machine.kernel) return pflash
  const commandLine = `${machine.kernel.commandLine} strata.hostname=${hostnameOf(machine.name)}`.trim()
  const kernel = (context.uefiCode && machine.kernel.efiKernel) || machine.kernel.kernel
  return [...pflash, '-kernel', kernel, ...(machine.kernel.initrd ? ['-initrd', machine.kernel.initrd] : []), '-append', commandLine]
}

function monitorArguments(context: LaunchContext): string[] {
  return [...listeningChardev('qmp', context.runtime.qmp), '-mon', 'chardev=qmp,mode=control']
}

/** So that an X-ray that begins later knows which node is which file: one line a file that is opened. */
function traceArguments({ runtime }: LaunchContext): string[] {
  return ['-D', runtime.traceLog, '-trace', `enable=${ALWAYS_ON}`]
}

/** The log is QEMU's own: it holds all output since the start, whether or not anybody is connected. */
function consoleArguments(machine: MachineDefinition, context: LaunchContext): string[] {
  return [
    ...listeningChardev('serial0', context.runtime.serial, `,logfile=${escaped(context.paths.consoleLog)},logappend=on`),
    ...['-device', 'isa-serial,id=serial0-device,chardev=serial0'],
    ...(machine.display ? [] : ['-display', 'none'])
  ]
}

function agentArguments(context: LaunchContext): string[] {
  return [
    ...['-device', 'virtio-serial-pci,id=ports0'],
    ...listeningChardev('agent', context.runtime.agent),
    ...['-device', 'virtserialport,id=agent-port,bus=ports0.0,chardev=agent,name=org.qemu.guest_agent.0']
  ]
}

/** The built-in guest has no use for a mouse; a USB controller would cost it boot time. */
function displayArguments(machine: MachineDefinition, context: LaunchContext): string[] {
  if (!machine.display) return ['-vga', 'none']
  const pointer = machine.kernel ? [] : ['-device', 'qemu-xhci,id=usb0', '-device', 'usb-tablet,id=pointer0,bus=usb0.0']
  return ['-device', 'VGA,id=video0', '-vnc', `unix:${escaped(context.runtime.vnc)}`, ...pointer]
}

function diskArguments(disk: Disk, index: number, context: LaunchContext): string[] {
  const port = context.incoming?.plugged[disk.id]
  const place: Record<string, string | number> = port ? { bus: port } : { bootindex: index + 1 }
  if (!context.incoming?.deferred) return [...blockdev(diskNodes(disk, context.paths.disk)), '-device', deviceOption(diskDevice(disk, place))]
  const empty = { driver: 'null-co', 'node-name': emptyNodeName(disk), size: disk.sizeBytes, 'read-zeroes': true }
  return [...blockdev(empty), '-device', deviceOption(diskDevice(disk, { drive: emptyNodeName(disk), ...place }))]
}

/** What a disk's device stands on as long as QEMU waits. */
export const emptyNodeName = (disk: Disk): string => `${disk.id}-empty`

/**
 * The device of a disk, for `-device` and `device_add`. `share-rw`: QEMU may export the disk for writing beside it; a raw image goes without, as
 * its file would then no longer be locked against other processes either.
 */
export function diskDevice(disk: Disk, more: Record<string, string | number>): DeviceOptions {
  const { nodeName, format } = disk.layers[0]!
  return { driver: 'virtio-blk-pci', id: `${disk.id}-device`, drive: nodeName, ...(format === 'raw' ? {} : { 'share-rw': true }), ...more }
}
export type DeviceOptions = { driver: string; id: string } & Record<string, string | number | boolean>
const deviceOption = ({ driver, ...properties }: DeviceOptions): string => [driver, ...Object.entries(properties).map(([key, value]) => `${key}=${inWords(value)}`)].join(',')
const inWords = (value: string | number | boolean): string => (typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value))

/** Ports that devices can be plugged into while the guest runs: q35's own bus takes none. */
export const HOT_PLUG_PORTS = ['port1', 'port2', 'port3', 'port4'] as const
function hotPlugArguments(): string[] {
  return HOT_PLUG_PORTS.flatMap((id, index) => ['-device', `pcie-root-port,id=${id},chassis=${index + 1},addr=1c.${index},multifunction=on`])
}

function cdromArguments(id: string, path: string, bootOrder: number | null): string[] {
  return [
    ...blockdev({ driver: 'raw', 'node-name': id, 'read-only': true, file: { ...fileNode(path), 'read-only': true } }),
    ...['-device', `ide-cd,id=${id}-device,drive=${id}${bootOrder === null ? '' : `,bootindex=${bootOrder + 1}`}`]
  ]
}

function nicArguments(nic: Nic, index: number, context: LaunchContext): string[] {
  const id = `net${index}`
  return ['-netdev', netdev(id, nic, context), '-device', `virtio-net-pci,id=${id}-device,netdev=${id},mac=${nic.mac},romfile=`]
}

function netdev(id: string, nic: Nic, context: LaunchContext): string {
  const network: Network = nic.network
  switch (network.kind) {
    case 'user':
      return [`user,id=${id}`, ...nic.forwards.map((f) => `hostfwd=${f.protocol}:${f.hostAddress}:${f.hostPort}-:${f.guestPort}`)].join(',')
    case 'isolated':
      return `vde,id=${id},sock=${escaped(context.switches[network.name] ?? '')}`
    case 'bridge':
      return `bridge,id=${id},br=${network.name}`
  }
}

function tpmArguments(machine: MachineDefinition, context: LaunchContext): string[] {
  if (!machine.tpm) return []
  return [
    ...['-chardev', `socket,id=tpm,path=${escaped(context.runtime.tpm)}`],
    ...['-tpmdev', 'emulator,id=tpm0,chardev=tpm', '-device', 'tpm-crb,id=tpm0-device,tpmdev=tpm0']
  ]
}

const blockdev = (node: Record<string, unknown>): string[] => ['-blockdev', JSON.stringify(node)]
const listeningChardev = (id: string, path: string, more = ''): string[] => ['-chardev', `socket,id=${id},path=${escaped(path)},server=on,wait=off${more}`]
/** In QEMU's `key=value,...` options a comma is written twice. */
const escaped = (value: string): string => value.replaceAll(',', ',,')

/** A machine's name as a host name (RFC 1123): letters, digits and hyphens, at most 63. */
export function hostnameOf(name: string): string {
  const plain = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  return plain.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 63).replace(/-+$/, '') || 'guest'
}
