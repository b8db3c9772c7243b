import { createHash } from 'node:crypto'
import { homedir, tmpdir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'

/**
 * Every file and folder name that Strata makes. Nothing else in the core puts such a path together.
 *
 *   library (STRATA_HOME, default ~/Strata)       runtime ($XDG_RUNTIME_DIR/strata/<library>)
 *     lock settings.json api-token                  owner.sock
 *     machines/<name>/machine.json ...              <machine>/qmp.sock serial.sock vnc.sock agent.sock ...
 *     images/ shares/ trash/ logs/ cache/ ...       net-<name>/ share-<id>/
 */
export const libraryPaths = (root: string) => ({
  root,
  lock: join(root, 'lock'),
  settings: join(root, 'settings.json'),
  apiToken: join(root, 'api-token'),
  machines: join(root, 'machines'),
  images: join(root, 'images'),
  snapshots: join(root, 'snapshots'),
  /** Where the service of the ring lab is started, and its own image lies. */
  ring: ringPaths(join(root, 'ring')),
  /** The deduplicated store; what is in it knows core/store. */
  store: join(root, 'store'),
  /** One file a shared disk. */
  shares: join(root, 'shares'),
  share: (shareId: string) => join(root, 'shares', shareId + '.json'),
  /** One file a class lab. */
  labs: join(root, 'labs'),
  lab: (labId: string) => join(root, 'labs', labId + '.json'),
  /** Scratch disks, while transports are measured. */
  shareBench: (file = '') => join(root, 'share-bench', file),
  trash: join(root, 'trash'),
  logs: join(root, 'logs'),
  cache: join(root, 'cache'),
  /** What is known of each QEMU found, so that it need not be asked at every start. */
  capabilitiesCache: join(root, 'cache', 'qemu.json'),
  /** One file a running task: what is there at a start was cut off by a crash. */
  tasks: join(root, 'tasks'),
  /** Where a thing is made before it gets its name: what is here at a start was cut off, and goes. */
  unfinished: join(root, 'unfinished'),
  /** A machine's folder carries the machine's name, and moves with it. */
  machine: (name: string) => machinePaths(join(root, 'machines', name)),
  snapshot: (id: string) => snapshotPaths(join(root, 'snapshots', id)),
  trashed: (trashId: string) => trashPaths(join(root, 'trash', trashId))
})
export type LibraryPaths = ReturnType<typeof libraryPaths>

export const machinePaths = (root: string) => ({
  root,
  definition: join(root, 'machine.json'),
  /** Locked by the QEMU process itself, for as long as it lives. */
  lock: join(root, 'lock'),
  /** What was started, when and as which process. */
  run: join(root, 'run.json'),
  /** How the last run ended. */
  exit: join(root, 'exit.json'),
  disks: join(root, 'disks'),
  consoleLog: join(root, 'console.log'),
  qemuLog: join(root, 'qemu.log'),
  /** Of a QEMU that stands by for it. */
  standbyLog: join(root, 'standby.log'),
  uefiVariables: join(root, 'uefi-variables.fd'),
  tpmState: join(root, 'tpm'),
  tpmLog: join(root, 'tpm.log'),
  cloudInitSeed: join(root, 'cloud-init.iso'),
  /** While a snapshot is being taken: whether the guest is to go on, should that be cut off. */
  capture: join(root, 'capture.json'),
  /** As long as it is being made from a snapshot: should that be cut off, the next opening removes it. */
  halfMade: join(root, 'half-made'),
  /** Guest memory of a restored machine whose memory others map: its name goes when QEMU has it. */
  memory: join(root, 'memory'),
  disk: (file: string) => join(root, 'disks', file)
})
export type MachinePaths = ReturnType<typeof machinePaths>

/** A snapshot exists when its folder is in `snapshots`: it gets that name when it is whole. */
export const snapshotPaths = (root: string) => ({
  root,
  record: join(root, 'snapshot.json'),
  /** Guest memory, flat: as long as the memory, with holes where it was never written. */
  ram: join(root, 'ram'),
  /** The rest of QEMU's migration stream, which is itself a valid one. */
  devices: join(root, 'devices'),
  screen: join(root, 'screen.png'),
  uefiVariables: join(root, 'uefi-variables.fd'),
  disks: join(root, 'disks'),
  disk: (file: string) => join(root, 'disks', file)
})
export type SnapshotPaths = ReturnType<typeof snapshotPaths>
/** The folder of the ring lab. In `run`, the service and its clients find each other: see native/ring/process.h. */
export const ringPaths = (root: string) => ({
  root,
  image: join(root, 'lab.img'),
  pidFile: join(root, 'run', 'service.pid'),
  /** Of the service: its statistics, its image. */
  descriptor: (pid: number, descriptor: number) => `/proc/${pid}/fd/${descriptor}`,
  vhostSocket: join(root, 'vhost.sock'),
  nbdSocket: join(root, 'nbd.sock'),
  /** What a client program leaves: the sectors that it read, one number a line, and their bytes. */
  sectors: (pid: number) => join(root, `sectors.${pid}`),
  reads: (pid: number) => join(root, `read.${pid}`)
})
export type RingPaths = ReturnType<typeof ringPaths>

const trashPaths = (root: string) => ({ root, record: join(root, 'removed.json'), machine: join(root, 'machine') })

export const STANDBY_PREFIX = 'by-'

/** Sockets and pid files of one library: private, short, gone after a reboot. */
export const runtimePaths = (root: string) => ({
  root,
  ownerSocket: join(root, 'owner.sock'),
  /** Control ports of machines: they stay theirs while the machines run. */
  controlPorts: join(root, 'control-ports.json'),
  /** A part of a disk that is looked at, for a moment. */
  look: (name: string) => join(root, `look-${name}`),
  machine: (machineId: string) => machineRuntimePaths(join(root, machineId.slice(0, 8))),
  /** Of a QEMU that stands by for some machine. When that machine runs in it, it stays what it is. */
  standby: (key: string) => machineRuntimePaths(join(root, STANDBY_PREFIX + key)),
  network: (name: string) => networkPaths(join(root, 'net-' + name)),
  /** Of the network over which the nodes of shared cluster file systems agree. */
  cluster: networkPaths(join(root, 'cluster')),
  share: (shareId: string) => shareRuntimePaths(join(root, 'share-' + shareId))
})
export type RuntimePaths = ReturnType<typeof runtimePaths>

export const machineRuntimePaths = (root: string) => ({
  root,
  qmp: join(root, 'qmp.sock'),
  serial: join(root, 'serial.sock'),
  vnc: join(root, 'vnc.sock'),
  agent: join(root, 'agent.sock'),
  tpm: join(root, 'tpm.sock'),
  pid: join(root, 'qemu.pid'),
  screenshot: join(root, 'screen.png'),
  /** Where QEMU writes trace events to, and how far that has been read. */
  traceLog: join(root, 'trace.log'),
  traceRead: join(root, 'trace.json'),
  /** Where QEMU writes its migration stream to. */
  migration: join(root, 'migrate.sock'),
  /** Of QEMU's NBD server. */
  nbd: join(root, 'nbd.sock')
})
export type MachineRuntimePaths = ReturnType<typeof machineRuntimePaths>

/** The switch of one isolated network. */
const networkPaths = (root: string) => ({
  root,
  lock: join(root, 'lock'),
  log: join(root, 'switch.log'),
  pid: join(root, 'switch.pid'),
  /** The folder of vde_switch's own sockets; QEMU connects to it. */
  ports: join(root, 'ports')
})
export type NetworkPaths = ReturnType<typeof networkPaths>

/** Of one shared disk: sockets of each client, and the storage daemon's. */
const shareRuntimePaths = (root: string) => ({
  /** Where a client finds its disk. */
  client: (machineId: string) => relayPaths(root, machineId.slice(0, 8)).client,
  relay: (machineId: string) => relayPaths(root, machineId.slice(0, 8)),
  ...daemonPaths(root, ''),
  /** Of the daemon that answers with errors, where nobody can serve it. */
  refusal: daemonPaths(root, 'eio-')
})
/** From a client's QEMU to whoever serves it over vhost-user-blk. */
const relayPaths = (root: string, name: string) => ({
  root,
  client: join(root, `${name}.sock`),
  exporter: join(root, `${name}-export.sock`),
  observer: join(root, `${name}-relay.sock`),
  /** What it knows of the requests under way. */
  account: join(root, `${name}-relay.account`),
  log: join(root, 'relay.log')
})
export type RelayPaths = ReturnType<typeof relayPaths>
const daemonPaths = (root: string, prefix: string) => ({
  root,
  daemonQmp: join(root, `${prefix}qmp.sock`),
  daemonNbd: join(root, `${prefix}nbd.sock`),
  daemonRecord: join(root, `${prefix}daemon.json`),
  daemonLog: join(root, `${prefix}daemon.log`)
})
export type DaemonPaths = ReturnType<typeof daemonPaths>
export type ShareRuntimePaths = ReturnType<typeof shareRuntimePaths>

export interface Environment {
  STRATA_HOME?: string | undefined
  XDG_RUNTIME_DIR?: string | undefined
}

/** The library folder that this environment names. */
export function libraryRoot(environment: Environment): string {
  return resolve(environment.STRATA_HOME || join(homedir(), 'Strata'))
}

/** The runtime folder that belongs to a library. */
export function runtimeRoot(environment: Environment, library: string): string {
  const base = environment.XDG_RUNTIME_DIR || join(tmpdir(), `strata-${userInfo().uid}`)
  return join(base, 'strata', createHash('sha256').update(library).digest('hex').slice(0, 8))
}
