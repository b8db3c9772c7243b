import { z } from 'zod'

/**
 * `ro`: the owner writes, and QEMU itself refuses what a client writes. `rw`: one machine writes at a time, and QEMU refuses what the others
 * write; who writes is handed over. `cluster`: every machine writes, which needs a file system made for that.
 */
export const ShareMode = z.enum(['ro', 'rw', 'cluster'])
export type ShareMode = z.output<typeof ShareMode>

/** A file system, or what else lies on a disk, told by its marks. */
export const DiskContent = z.object({
  /** 1, 2, ...; null: on the whole disk. */
  partition: z.number().int().nullable(),
  /** `ext4`, `XFS`, `NTFS`, `LVM`, ...; `unknown` when there is something without a known mark, `nothing` when its start is empty. */
  kind: z.string(),
  /** Whether several machines may write to it at once. */
  cluster: z.boolean()
})
export type DiskContent = z.output<typeof DiskContent>

/** A cluster file system that Strata makes and mounts. Null: all may write, and what is on the disk is up to its guests. */
export const ClusterRecord = z.object({
  /** Where every guest has it. */
  folder: z.string(),
  /** The owner and its clients: each has one number in all clusters of the library. */
  nodes: z.array(z.object({ machineId: z.uuid(), number: z.number().int().min(1).max(254) }))
})
export type ClusterRecord = z.output<typeof ClusterRecord>

/** How a machine is in the cluster. `joining`: its guest is being told of the others, and mounts the disk; `out`: the reason says why. */
export const ClusterMemberState = z.enum(['off', 'joining', 'mounted', 'out'])
export type ClusterMemberState = z.output<typeof ClusterMemberState>
export const ClusterMember = z.object({
  machineId: z.string(),
  machine: z.string(),
  node: z.number(),
  state: ClusterMemberState,
  reason: z.string().nullable()
})
export type ClusterMember = z.output<typeof ClusterMember>

/**
 * For so many seconds what clients ask for waits when nobody can serve the disk; then it is an I/O error in their guests, until somebody serves it
 * again. Null: it waits as long as it takes.
 */
export const HoldSeconds = z.number().int().min(5).max(86_400).nullable()
export type HoldSeconds = z.output<typeof HoldSeconds>

/** What a client may ask for, in a second, of reads and writes together. Null: without a bound. */
export const ClientLimits = z.object({
  requestsPerSecond: z.number().int().positive().nullable().default(null),
  bytesPerSecond: z.number().int().positive().nullable().default(null)
})
export type ClientLimits = z.output<typeof ClientLimits>
export const NO_LIMITS: ClientLimits = { requestsPerSecond: null, bytesPerSecond: null }

/**
 * What a share is: the content of its file in the library. One disk of a machine, its owner, and the machines that get it too. There
 * is at most one share of a disk. Nothing in it changes because somebody starts or stops.
 */
export const ShareRecord = z.object({
  schemaVersion: z.literal(1),
  /** Also part of the names of exports, devices and sockets. */
  id: z.string().regex(/^[0-9a-f]{8}$/),
  /** The owner: the machine that the disk belongs to. */
  machineId: z.uuid(),
  disk: z.string(),
  mode: ShareMode,
  /** In mode `rw` the machine that may write: the owner, or a client. */
  writer: z.uuid().nullable().default(null),
  /** The version that readers get when they get the disk: a commit's sequence number. Null: the disk itself, as it changes. */
  published: z.number().int().positive().nullable().default(null),
  /** In mode `cluster`. */
  cluster: ClusterRecord.nullable().default(null),
  holdSeconds: HoldSeconds.default(null),
  /** What a client writes is on the host's disk before it is answered, so that no process that is killed takes it along. */
  writeThrough: z.boolean().default(false),
  createdAtMs: z.number(),
  /** Machines that get the disk, in the order in which they were added. */
  clients: z.array(
    z.object({
      machineId: z.uuid(),
      addedAtMs: z.number(),
      /** The version that it has got, or gets while it reads. */
      version: z.number().int().positive().nullable().default(null),
      limits: ClientLimits.default(NO_LIMITS)
    })
  )
})
export type ShareRecord = z.output<typeof ShareRecord>

/** Which process has the image open, and hands its blocks to the clients. */
export const ShareServer = z.discriminatedUnion('kind', [
  /** No client runs: nothing is exported. */
  z.object({ kind: z.literal('idle') }),
  /** The owner's own QEMU, beside its guest. */
  z.object({ kind: z.literal('machine'), machine: z.string() }),
  /** qemu-storage-daemon, while the owner is off. */
  z.object({ kind: z.literal('daemon'), pid: z.number() }),
  /** It passes from one to the other; what clients read waits meanwhile. */
  z.object({ kind: z.literal('moving') }),
  /**
   * Whoever serves it does not answer; what clients read waits. `machine`: the owner, whose own QEMU that is; null: a storage daemon. `because`, where
   * the system tells: `stopped` by a signal or a debugger, or it waits for `storage`, which does not answer either.
   */
  z.object({ kind: z.literal('hung'), machine: z.string().nullable(), pid: z.number(), sinceMs: z.number(), because: z.enum(['stopped', 'storage']).nullable() }),
  /** Nobody can serve it; what clients read waits until somebody can. */
  z.object({ kind: z.literal('failed'), message: z.string() }),
  /** The share's own file cannot be used: of what it says nothing is known but its id. */
  z.object({ kind: z.literal('broken'), message: z.string() })
])
export type ShareServer = z.output<typeof ShareServer>

/**
 * How a client is. `waiting`: it has the disk, and what it reads waits until somebody serves it. `unplugged`: it runs without it;
 * the reason says why. `failing`: it has the disk, nobody has served that for longer than it is to wait, and its guest gets I/O errors.
 */
export const ShareClientState = z.enum(['off', 'starting', 'connected', 'waiting', 'failing', 'unplugged'])
export type ShareClientState = z.output<typeof ShareClientState>

/** `nbd`: over a Unix socket, where `vhost-user-blk` cannot be. */
export const ClientTransport = z.enum(['vhost-user-blk', 'nbd'])
export type ClientTransport = z.output<typeof ClientTransport>

export const ShareClient = z.object({
  machineId: z.string(),
  machine: z.string(),
  transport: ClientTransport,
  /** Why it is not vhost-user-blk; null when it is. */
  transportReason: z.string().nullable(),
  /** Whether QEMU lets it write. */
  writes: z.boolean(),
  /** The published version that it reads; null: the disk itself. */
  version: z.number().nullable(),
  limits: ClientLimits,
  state: ShareClientState,
  /** Why it is not connected, where that is known. */
  reason: z.string().nullable()
})
export type ShareClient = z.output<typeof ShareClient>

export const Share = z.object({
  id: z.string(),
  machineId: z.string(),
  /** The owner's name. */
  machine: z.string(),
  disk: z.string(),
  sizeBytes: z.number(),
  mode: ShareMode,
  /** Whether QEMU lets the owner write. */
  ownerWrites: z.boolean(),
  /** The version that readers get; null: the disk itself. */
  published: z.object({ version: z.number(), atMs: z.number() }).nullable(),
  createdAtMs: z.number(),
  holdSeconds: HoldSeconds,
  writeThrough: z.boolean(),
  server: ShareServer,
  clients: z.array(ShareClient),
  /** The cluster file system on it, where Strata keeps one. */
  cluster: z.object({ folder: z.string(), members: z.array(ClusterMember) }).nullable()
})
export type Share = z.output<typeof Share>

/** A shared disk in a guest. */
export const ShareMount = z.object({
  machine: z.string(),
  /** What the guest calls it: `/dev/vdb`. */
  device: z.string(),
  folder: z.string(),
  writes: z.boolean()
})
export type ShareMount = z.output<typeof ShareMount>

/** A reader after a refresh. */
export const RefreshedReader = z.object({
  machineId: z.string(),
  machine: z.string(),
  /**
   * `fresh`: mounted anew, and so it sees all that the writer had written. `busy`: a program keeps it mounted; what its guest can forget it has
   * forgotten, and the rest is as old as before. `unmounted`: it has the disk and has not mounted it. `unasked`: the reason says why.
   */
  state: z.enum(['fresh', 'busy', 'unmounted', 'unasked']),
  folders: z.array(z.string()),
  /** From the end of the writer's flush on. */
  afterMs: z.number(),
  reason: z.string().nullable()
})
export type RefreshedReader = z.output<typeof RefreshedReader>

export const ShareRefresh = z.object({
  /** Null: nobody who writes runs, so there was nothing to flush. */
  writer: z.string().nullable(),
  flushMs: z.number(),
  readers: z.array(RefreshedReader)
})
export type ShareRefresh = z.output<typeof ShareRefresh>

/** A version of a shared disk that was published: a commit of it, which does not change any more. */
export const SharePublication = z.object({
  /** The commit's sequence number; null: readers have the disk itself again. */
  version: z.number().nullable(),
  /** Null: nobody who writes runs. */
  writer: z.string().nullable(),
  /** Whether the writer's guest held its file systems still for the moment; else the version is as a disk is after a power cut. */
  settled: z.boolean(),
  /** Readers that run. `fresh` and `unmounted` have the version; `busy` and `unasked` have what they had. */
  readers: z.array(RefreshedReader)
})
export type SharePublication = z.output<typeof SharePublication>

/** What a machine has asked of a shared disk since it got it; it starts anew when the disk is plugged in again. */
export const ShareCounters = z.object({
  machineId: z.string(),
  reads: z.number(),
  writes: z.number(),
  readBytes: z.number(),
  writtenBytes: z.number(),
  /** The time that its requests took, added up. */
  readMs: z.number(),
  writeMs: z.number()
})
export type ShareCounters = z.output<typeof ShareCounters>

export const ShareLoad = z.object({
  atMs: z.number(),
  /** Of the owner and each client that has it and could be asked. */
  counters: z.array(ShareCounters)
})
export type ShareLoad = z.output<typeof ShareLoad>

export const ShareTransport = z.enum(['vhost-user-blk', 'nbd', 'local'])
export type ShareTransport = z.output<typeof ShareTransport>
export const ShareWorkload = z.enum(['read-4k-1', 'read-4k-32', 'write-4k-1', 'write-4k-32', 'read-1m', 'write-1m'])
export type ShareWorkload = z.output<typeof ShareWorkload>

/** What fio measured in a guest, on equal disks that reached it in different ways. */
export const ShareBench = z.object({
  machine: z.string(),
  atMs: z.number(),
  /** Each figure is the median of so many runs, made in turn. */
  rounds: z.number(),
  seconds: z.number(),
  figures: z.array(
    z.object({ workload: ShareWorkload, transport: ShareTransport, perSecond: z.number(), bytesPerSecond: z.number(), meanNs: z.number(), p99Ns: z.number() })
  )
})
export type ShareBench = z.output<typeof ShareBench>
