/**
 * The QMP commands and events that Strata uses. Made by scripts/qmp-types.mjs from what QEMU 7.2 says of itself
 * (query-qmp-schema); to use one more, add its name to scripts/lib/qmp-names.mjs. What QEMU calls deprecated or unstable is
 * left out (but for UNSTABLE there). What only a newer QEMU has is asked for with core/qmp/schema.ts. Type names are those of QEMU's qapi/*.json.
 * test/integration/qmp-schema.test.ts checks all this against the installed QEMU.
 */

/** No members: a command that takes nothing, or returns nothing. */
export type None = Record<string, never>

export interface Commands {
  qmp_capabilities: { arguments: { enable?: 'oob'[] }; returns: None }
  'query-version': { arguments: None; returns: { qemu: { major: number; minor: number; micro: number }; package: string } }
  'query-commands': { arguments: None; returns: { name: string }[] }
  'query-qmp-schema': { arguments: None; returns: SchemaInfo[] }
  'human-monitor-command': { arguments: { 'command-line': string; 'cpu-index'?: number }; returns: string }
  quit: { arguments: None; returns: None }
  'query-status': { arguments: None; returns: { running: boolean; singlestep: boolean; status: RunState } }
  stop: { arguments: None; returns: None }
  cont: { arguments: None; returns: None }
  'set-action': {
    arguments: {
      reboot?: 'reset' | 'shutdown'
      shutdown?: 'poweroff' | 'pause'
      panic?: 'pause' | 'shutdown' | 'exit-failure' | 'none'
      watchdog?: WatchdogAction
    }
    returns: None
  }
  system_reset: { arguments: None; returns: None }
  system_powerdown: { arguments: None; returns: None }
  'query-name': { arguments: None; returns: { name?: string } }
  'query-uuid': { arguments: None; returns: { UUID: string } }
  'query-kvm': { arguments: None; returns: { enabled: boolean; present: boolean } }
  'query-target': { arguments: None; returns: { arch: SysEmuTarget } }
  'query-machines': { arguments: None; returns: MachineInfo[] }
  'query-cpus-fast': { arguments: None; returns: CpuInfoFast[] }
  'query-cpu-definitions': { arguments: None; returns: CpuDefinitionInfo[] }
  'query-hotpluggable-cpus': {
    arguments: None
    returns: { type: string; 'vcpus-count': number; props: CpuInstanceProperties; 'qom-path'?: string }[]
  }
  'query-memory-size-summary': { arguments: None; returns: { 'base-memory': number; 'plugged-memory'?: number } }
  'query-iothreads': {
    arguments: None
    returns: {
      id: string
      'thread-id': number
      'poll-max-ns': number
      'poll-grow': number
      'poll-shrink': number
      'aio-max-batch': number
    }[]
  }
  'query-balloon': { arguments: None; returns: { actual: number } }
  balloon: { arguments: { value: number }; returns: None }
  'query-pci': { arguments: None; returns: { bus: number; devices: PciDeviceInfo[] }[] }
  'query-chardev': { arguments: None; returns: { label: string; filename: string; 'frontend-open': boolean }[] }
  'chardev-add': { arguments: { id: string; backend: ChardevBackend }; returns: { pty?: string } }
  'chardev-remove': { arguments: { id: string }; returns: None }
  'query-vnc': { arguments: None; returns: VncInfo }
  screendump: { arguments: { filename: string; device?: string; head?: number; format?: 'ppm' | 'png' }; returns: None }
  'send-key': {
    arguments: { keys: ({ type: 'number'; data: number } | { type: 'qcode'; data: QKeyCode })[]; 'hold-time'?: number }
    returns: None
  }
  set_link: { arguments: { name: string; up: boolean }; returns: None }
  netdev_add: { arguments: Netdev; returns: None }
  netdev_del: { arguments: { id: string }; returns: None }
  device_add: { arguments: { driver: string; bus?: string; id?: string } & { [property: string]: unknown }; returns: None }
  device_del: { arguments: { id: string }; returns: None }
  'device-list-properties': { arguments: { typename: string }; returns: ObjectPropertyInfo[] }
  'object-add': { arguments: ObjectOptions; returns: None }
  'object-del': { arguments: { id: string }; returns: None }
  'qom-get': { arguments: { path: string; property: string }; returns: unknown }
  'qom-list': { arguments: { path: string }; returns: ObjectPropertyInfo[] }
  'qom-list-types': {
    arguments: { implements?: string; abstract?: boolean }
    returns: { name: string; abstract?: boolean; parent?: string }[]
  }
  'qom-set': { arguments: { path: string; property: string; value: unknown }; returns: None }
  'query-block': { arguments: None; returns: BlockInfo[] }
  'query-blockstats': { arguments: { 'query-nodes'?: boolean }; returns: BlockStats[] }
  'query-named-block-nodes': { arguments: { flat?: boolean }; returns: BlockDeviceInfo[] }
  'blockdev-add': { arguments: BlockdevOptions; returns: None }
  'blockdev-del': { arguments: { 'node-name': string }; returns: None }
  'blockdev-reopen': { arguments: { options: BlockdevOptions[] }; returns: None }
  'blockdev-create': { arguments: { 'job-id': string; options: BlockdevCreateOptions }; returns: None }
  block_resize: { arguments: { device?: string; 'node-name'?: string; size: number }; returns: None }
  'block-commit': {
    arguments: {
      'job-id'?: string
      device: string
      'base-node'?: string
      'top-node'?: string
      'backing-file'?: string
      speed?: number
      'on-error'?: BlockdevOnError
      'filter-node-name'?: string
      'auto-finalize'?: boolean
      'auto-dismiss'?: boolean
    }
    returns: None
  }
  'block-stream': {
    arguments: {
      'job-id'?: string
      device: string
      base?: string
      'base-node'?: string
      'backing-file'?: string
      bottom?: string
      speed?: number
      'on-error'?: BlockdevOnError
      'filter-node-name'?: string
      'auto-finalize'?: boolean
      'auto-dismiss'?: boolean
    }
    returns: None
  }
  'blockdev-snapshot': { arguments: BlockdevSnapshot; returns: None }
  'blockdev-mirror': {
    arguments: {
      'job-id'?: string
      device: string
      target: string
      replaces?: string
      sync: MirrorSyncMode
      speed?: number
      granularity?: number
      'buf-size'?: number
      'on-source-error'?: BlockdevOnError
      'on-target-error'?: BlockdevOnError
      'filter-node-name'?: string
      'copy-mode'?: 'background' | 'write-blocking'
      'auto-finalize'?: boolean
      'auto-dismiss'?: boolean
    }
    returns: None
  }
  'blockdev-backup': { arguments: BlockdevBackup; returns: None }
  transaction: { arguments: { actions: TransactionAction[]; properties?: { 'completion-mode'?: 'individual' | 'grouped' } }; returns: None }
  'block-dirty-bitmap-add': { arguments: BlockDirtyBitmapAdd; returns: None }
  'block-dirty-bitmap-remove': { arguments: BlockDirtyBitmap; returns: None }
  'query-jobs': { arguments: None; returns: JobInfo[] }
  'job-pause': { arguments: { id: string }; returns: None }
  'job-resume': { arguments: { id: string }; returns: None }
  'job-cancel': { arguments: { id: string }; returns: None }
  'job-complete': { arguments: { id: string }; returns: None }
  'job-finalize': { arguments: { id: string }; returns: None }
  'job-dismiss': { arguments: { id: string }; returns: None }
  'block-job-set-speed': { arguments: { device: string; speed: number }; returns: None }
  'block-export-add': { arguments: BlockExportOptions; returns: None }
  'block-export-del': { arguments: { id: string; mode?: 'safe' | 'hard' }; returns: None }
  'query-block-exports': { arguments: None; returns: BlockExportInfo[] }
  'nbd-server-start': {
    arguments: { addr: SocketAddressLegacy; 'tls-creds'?: string; 'tls-authz'?: string; 'max-connections'?: number }
    returns: None
  }
  'nbd-server-stop': { arguments: None; returns: None }
  migrate: { arguments: { uri: string; blk?: boolean; inc?: boolean; detach?: boolean; resume?: boolean }; returns: None }
  'migrate-incoming': { arguments: { uri: string }; returns: None }
  migrate_cancel: { arguments: None; returns: None }
  'migrate-start-postcopy': { arguments: None; returns: None }
  'query-migrate': { arguments: None; returns: MigrationInfo }
  'migrate-set-capabilities': { arguments: { capabilities: { capability: MigrationCapability; state: boolean }[] }; returns: None }
  'query-migrate-capabilities': { arguments: None; returns: { capability: MigrationCapability; state: boolean }[] }
  'migrate-set-parameters': { arguments: MigrateSetParameters; returns: None }
  'query-migrate-parameters': { arguments: None; returns: MigrationParameters }
  'trace-event-get-state': {
    arguments: { name: string; vcpu?: number }
    returns: { name: string; state: 'unavailable' | 'disabled' | 'enabled'; vcpu: boolean }[]
  }
  'trace-event-set-state': { arguments: { name: string; enable: boolean; 'ignore-unavailable'?: boolean; vcpu?: number }; returns: None }
}

export interface Events {
  SHUTDOWN: { guest: boolean; reason: ShutdownCause }
  POWERDOWN: None
  RESET: { guest: boolean; reason: ShutdownCause }
  STOP: None
  RESUME: None
  GUEST_PANICKED: { action: 'pause' | 'poweroff' | 'run'; info?: GuestPanicInformation }
  WATCHDOG: { action: WatchdogAction }
  RTC_CHANGE: { offset: number; 'qom-path': string }
  BALLOON_CHANGE: { actual: number }
  VSERPORT_CHANGE: { id: string; open: boolean }
  DEVICE_DELETED: { device?: string; path: string }
  DEVICE_UNPLUG_GUEST_ERROR: { device?: string; path: string }
  BLOCK_IO_ERROR: {
    device: string
    'node-name'?: string
    operation: IoOperationType
    action: BlockErrorAction
    nospace?: boolean
    reason: string
  }
  BLOCK_JOB_READY: { type: JobType; device: string; len: number; offset: number; speed: number }
  BLOCK_JOB_COMPLETED: { type: JobType; device: string; len: number; offset: number; speed: number; error?: string }
  BLOCK_JOB_ERROR: { device: string; operation: IoOperationType; action: BlockErrorAction }
  BLOCK_EXPORT_DELETED: { id: string }
  JOB_STATUS_CHANGE: { id: string; status: JobStatus }
  MIGRATION: { status: MigrationStatus }
  VNC_CONNECTED: { server: VncServerInfo; client: { host: string; service: string; family: NetworkAddressFamily; websocket: boolean } }
  VNC_INITIALIZED: { server: VncServerInfo; client: VncClientInfo }
  VNC_DISCONNECTED: { server: VncServerInfo; client: VncClientInfo }
}

export interface BitmapMigrationNodeAlias {
  'node-name': string
  alias: string
  bitmaps: { name: string; alias: string; transform?: { persistent?: boolean } }[]
}

export interface BlockDeviceInfo {
  file: string
  'node-name'?: string
  ro: boolean
  drv: string
  backing_file?: string
  backing_file_depth: number
  encrypted: boolean
  detect_zeroes: BlockdevDetectZeroesOptions
  bps: number
  bps_rd: number
  bps_wr: number
  iops: number
  iops_rd: number
  iops_wr: number
  image: ImageInfo
  bps_max?: number
  bps_rd_max?: number
  bps_wr_max?: number
  iops_max?: number
  iops_rd_max?: number
  iops_wr_max?: number
  bps_max_length?: number
  bps_rd_max_length?: number
  bps_wr_max_length?: number
  iops_max_length?: number
  iops_rd_max_length?: number
  iops_wr_max_length?: number
  iops_size?: number
  group?: string
  cache: BlockdevCacheInfo
  write_threshold: number
  'dirty-bitmaps'?: BlockDirtyInfo[]
}

export interface BlockDeviceStats {
  rd_bytes: number
  wr_bytes: number
  unmap_bytes: number
  rd_operations: number
  wr_operations: number
  flush_operations: number
  unmap_operations: number
  rd_total_time_ns: number
  wr_total_time_ns: number
  flush_total_time_ns: number
  unmap_total_time_ns: number
  wr_highest_offset: number
  rd_merged: number
  wr_merged: number
  unmap_merged: number
  idle_time_ns?: number
  failed_rd_operations: number
  failed_wr_operations: number
  failed_flush_operations: number
  failed_unmap_operations: number
  invalid_rd_operations: number
  invalid_wr_operations: number
  invalid_flush_operations: number
  invalid_unmap_operations: number
  account_invalid: boolean
  account_failed: boolean
  timed_stats: BlockDeviceTimedStats[]
  rd_latency_histogram?: BlockLatencyHistogramInfo
  wr_latency_histogram?: BlockLatencyHistogramInfo
  flush_latency_histogram?: BlockLatencyHistogramInfo
}

export interface BlockDeviceTimedStats {
  interval_length: number
  min_rd_latency_ns: number
  max_rd_latency_ns: number
  avg_rd_latency_ns: number
  min_wr_latency_ns: number
  max_wr_latency_ns: number
  avg_wr_latency_ns: number
  min_flush_latency_ns: number
  max_flush_latency_ns: number
  avg_flush_latency_ns: number
  avg_rd_queue_depth: number
  avg_wr_queue_depth: number
}

export interface BlockDirtyBitmap {
  node: string
  name: string
}

export interface BlockDirtyBitmapAdd {
  node: string
  name: string
  granularity?: number
  persistent?: boolean
  disabled?: boolean
}

export interface BlockDirtyInfo {
  name?: string
  count: number
  granularity: number
  recording: boolean
  busy: boolean
  persistent: boolean
  inconsistent?: boolean
}

export type BlockErrorAction = 'ignore' | 'report' | 'stop'

export interface BlockExportInfo {
  id: string
  type: BlockExportType
  'node-name': string
  'shutting-down': boolean
}

export type BlockExportOptions = {
  id: string
  'fixed-iothread'?: boolean
  iothread?: string
  'node-name': string
  writable?: boolean
  writethrough?: boolean
} & (
  | { type: 'nbd'; name?: string; description?: string; bitmaps?: (string | BlockDirtyBitmap)[]; 'allocation-depth'?: boolean }
  | { type: 'vhost-user-blk'; addr: SocketAddress; 'logical-block-size'?: number; 'num-queues'?: number }
)

export type BlockExportType = 'nbd' | 'vhost-user-blk' | 'fuse' | 'vduse-blk'

export interface BlockInfo {
  device: string
  qdev?: string
  type: string
  removable: boolean
  locked: boolean
  inserted?: BlockDeviceInfo
  tray_open?: boolean
  'io-status'?: 'ok' | 'failed' | 'nospace'
}

export interface BlockLatencyHistogramInfo {
  boundaries: number[]
  bins: number[]
}

export interface BlockStats {
  device?: string
  qdev?: string
  'node-name'?: string
  stats: BlockDeviceStats
  'driver-specific'?: BlockStatsSpecific
  parent?: BlockStats
  backing?: BlockStats
}

export type BlockStatsSpecific =
  | { driver: 'file' | 'host_device'; 'discard-nb-ok': number; 'discard-nb-failed': number; 'discard-bytes-ok': number }
  | { driver: Exclude<BlockdevDriver, 'file' | 'host_device'> }

export interface BlockdevBackup {
  'job-id'?: string
  device: string
  sync: MirrorSyncMode
  speed?: number
  bitmap?: string
  'bitmap-mode'?: 'on-success' | 'never' | 'always'
  compress?: boolean
  'on-source-error'?: BlockdevOnError
  'on-target-error'?: BlockdevOnError
  'auto-finalize'?: boolean
  'auto-dismiss'?: boolean
  'filter-node-name'?: string
  target: string
}

export interface BlockdevCacheInfo {
  writeback: boolean
  direct: boolean
  'no-flush': boolean
}

export interface BlockdevCacheOptions {
  direct?: boolean
  'no-flush'?: boolean
}

export type BlockdevCreateOptions =
  | { driver: 'file'; filename: string; size: number; preallocation?: PreallocMode; nocow?: boolean; 'extent-size-hint'?: number }
  | ({ driver: 'qcow2' } & BlockdevCreateOptionsQcow2)
  | { driver: 'vdi'; file: BlockdevRef; size: number; preallocation?: PreallocMode }
  | {
      driver: 'vhdx'
      file: BlockdevRef
      size: number
      'log-size'?: number
      'block-size'?: number
      subformat?: 'dynamic' | 'fixed'
      'block-state-zero'?: boolean
    }
  | ({ driver: 'vmdk' } & BlockdevCreateOptionsVmdk)
  | { driver: 'vpc'; file: BlockdevRef; size: number; subformat?: 'dynamic' | 'fixed'; 'force-size'?: boolean }

export interface BlockdevCreateOptionsQcow2 {
  file: BlockdevRef
  'data-file'?: BlockdevRef
  'data-file-raw'?: boolean
  'extended-l2'?: boolean
  size: number
  version?: 'v2' | 'v3'
  'backing-file'?: string
  'backing-fmt'?: BlockdevDriver
  encrypt?: QCryptoBlockCreateOptions
  'cluster-size'?: number
  preallocation?: PreallocMode
  'lazy-refcounts'?: boolean
  'refcount-bits'?: number
  'compression-type'?: Qcow2CompressionType
}

export interface BlockdevCreateOptionsVmdk {
  file: BlockdevRef
  size: number
  extents?: BlockdevRef[]
  subformat?: BlockdevVmdkSubformat
  'backing-file'?: string
  'adapter-type'?: 'ide' | 'buslogic' | 'lsilogic' | 'legacyESX'
  hwversion?: string
  toolsversion?: string
  'zeroed-grain'?: boolean
}

export type BlockdevDetectZeroesOptions = 'off' | 'on' | 'unmap'

export type BlockdevDriver =
  | 'blkdebug' | 'blklogwrites' | 'blkreplay' | 'blkverify' | 'bochs' | 'cloop' | 'compress' | 'copy-before-write' | 'copy-on-read' | 'dmg'
  | 'file' | 'snapshot-access' | 'ftp' | 'ftps' | 'gluster' | 'host_cdrom' | 'host_device' | 'http' | 'https' | 'iscsi' | 'luks' | 'nbd'
  | 'nfs' | 'null-aio' | 'null-co' | 'nvme' | 'parallels' | 'preallocate' | 'qcow' | 'qcow2' | 'qed' | 'quorum' | 'raw' | 'rbd'
  | 'replication' | 'ssh' | 'throttle' | 'vdi' | 'vhdx' | 'vmdk' | 'vpc' | 'vvfat'

export type BlockdevOnError = 'report' | 'ignore' | 'enospc' | 'stop' | 'auto'

export type BlockdevOptions = {
  'node-name'?: string
  discard?: 'ignore' | 'unmap'
  cache?: BlockdevCacheOptions
  'read-only'?: boolean
  'auto-read-only'?: boolean
  'force-share'?: boolean
  'detect-zeroes'?: BlockdevDetectZeroesOptions
} & (
  | {
      driver: 'copy-before-write'
      file: BlockdevRef
      target: BlockdevRef
      bitmap?: BlockDirtyBitmap
      'on-cbw-error'?: 'break-guest-write' | 'break-snapshot'
      'cbw-timeout'?: number
    }
  | { driver: 'copy-on-read'; file: BlockdevRef; bottom?: string }
  | ({ driver: 'file' | 'host_device' } & BlockdevOptionsFile)
  | {
      driver: 'nbd'
      server: SocketAddress
      export?: string
      'tls-creds'?: string
      'tls-hostname'?: string
      'reconnect-delay'?: number
      'open-timeout'?: number
    }
  | { driver: 'null-co'; size?: number; 'latency-ns'?: number; 'read-zeroes'?: boolean }
  | { driver: 'preallocate'; file: BlockdevRef; 'prealloc-align'?: number; 'prealloc-size'?: number }
  | ({ driver: 'qcow2' } & BlockdevOptionsQcow2)
  | { driver: 'raw'; file: BlockdevRef; offset?: number; size?: number }
  | { driver: 'throttle'; 'throttle-group': string; file: BlockdevRef }
  | { driver: 'vdi' | 'vhdx' | 'vpc'; file: BlockdevRef }
  | { driver: 'vmdk'; file: BlockdevRef; backing?: BlockdevRefOrNull }
)

export interface BlockdevOptionsFile {
  filename: string
  'pr-manager'?: string
  locking?: 'auto' | 'on' | 'off'
  aio?: 'threads' | 'native' | 'io_uring'
  'aio-max-batch'?: number
  'drop-cache'?: boolean
}

export interface BlockdevOptionsQcow2 {
  file: BlockdevRef
  backing?: BlockdevRefOrNull
  'lazy-refcounts'?: boolean
  'pass-discard-request'?: boolean
  'pass-discard-snapshot'?: boolean
  'pass-discard-other'?: boolean
  'overlap-check'?: Qcow2OverlapChecks
  'cache-size'?: number
  'l2-cache-size'?: number
  'l2-cache-entry-size'?: number
  'refcount-cache-size'?: number
  'cache-clean-interval'?: number
  encrypt?: BlockdevQcow2Encryption
  'data-file'?: BlockdevRef
}

export interface BlockdevQcow2Encryption {
  format: 'luks'
  'key-secret'?: string
}

export type BlockdevRef = BlockdevOptions | string

export type BlockdevRefOrNull = BlockdevOptions | string | null

export interface BlockdevSnapshot {
  node: string
  overlay: string
}

export type BlockdevVmdkSubformat =
  | 'monolithicSparse' | 'monolithicFlat' | 'twoGbMaxExtentSparse' | 'twoGbMaxExtentFlat' | 'streamOptimized'

export interface ChardevBackend {
  type: 'socket'
  data: ChardevSocket
}

export interface ChardevSocket {
  logfile?: string
  logappend?: boolean
  addr: SocketAddressLegacy
  'tls-creds'?: string
  'tls-authz'?: string
  server?: boolean
  wait?: boolean
  nodelay?: boolean
  telnet?: boolean
  tn3270?: boolean
  websocket?: boolean
  reconnect?: number
}

export interface CompressionStats {
  pages: number
  busy: number
  'busy-rate': number
  'compressed-size': number
  'compression-rate': number
}

export interface CpuDefinitionInfo {
  name: string
  'migration-safe'?: boolean
  static: boolean
  'unavailable-features'?: string[]
  typename: string
  'alias-of'?: string
  deprecated: boolean
}

export interface CpuInfoFast {
  'cpu-index': number
  'qom-path': string
  'thread-id': number
  props?: CpuInstanceProperties
  target: SysEmuTarget
}

export interface CpuInstanceProperties {
  'node-id'?: number
  'socket-id'?: number
  'die-id'?: number
  'cluster-id'?: number
  'core-id'?: number
  'thread-id'?: number
}

export type GuestPanicInformation =
  | { type: 'hyper-v'; arg1: number; arg2: number; arg3: number; arg4: number; arg5: number }
  | {
      type: 's390'
      core: number
      'psw-mask': number
      'psw-addr': number
      reason: 'unknown' | 'disabled-wait' | 'extint-loop' | 'pgmint-loop' | 'opint-loop'
    }

export type HostMemPolicy = 'default' | 'preferred' | 'bind' | 'interleave'

export interface ImageInfo {
  filename: string
  format: string
  'dirty-flag'?: boolean
  'actual-size'?: number
  'virtual-size': number
  'cluster-size'?: number
  encrypted?: boolean
  compressed?: boolean
  'backing-filename'?: string
  'full-backing-filename'?: string
  'backing-filename-format'?: string
  snapshots?: SnapshotInfo[]
  'backing-image'?: ImageInfo
  'format-specific'?: ImageInfoSpecific
}

export type ImageInfoSpecific =
  | { type: 'qcow2'; data: ImageInfoSpecificQCow2 }
  | { type: 'vmdk'; data: { 'create-type': string; cid: number; 'parent-cid': number; extents: ImageInfo[] } }
  | { type: 'luks' | 'rbd' }

export interface ImageInfoSpecificQCow2 {
  compat: string
  'data-file'?: string
  'data-file-raw'?: boolean
  'extended-l2'?: boolean
  'lazy-refcounts'?: boolean
  corrupt?: boolean
  'refcount-bits': number
  encrypt?: ImageInfoSpecificQCow2Encryption
  bitmaps?: Qcow2BitmapInfo[]
  'compression-type': Qcow2CompressionType
}

export type ImageInfoSpecificQCow2Encryption = ({ format: 'luks' } & QCryptoBlockInfoLUKS) | { format: 'aes' }

export interface InetSocketAddress {
  host: string
  port: string
  numeric?: boolean
  to?: number
  ipv4?: boolean
  ipv6?: boolean
  'keep-alive'?: boolean
  mptcp?: boolean
}

export type IoOperationType = 'read' | 'write'

export type JSONType = 'string' | 'number' | 'int' | 'boolean' | 'null' | 'object' | 'array' | 'value'

export interface JobInfo {
  id: string
  type: JobType
  status: JobStatus
  'current-progress': number
  'total-progress': number
  error?: string
}

export type JobStatus =
  | 'undefined' | 'created' | 'running' | 'paused' | 'ready' | 'standby' | 'waiting' | 'pending' | 'aborting' | 'concluded' | 'null'

export type JobType = 'commit' | 'stream' | 'mirror' | 'backup' | 'create' | 'amend' | 'snapshot-load' | 'snapshot-save' | 'snapshot-delete'

export interface MachineInfo {
  name: string
  alias?: string
  'is-default'?: boolean
  'cpu-max': number
  'hotpluggable-cpus': boolean
  'numa-mem-supported': boolean
  deprecated: boolean
  'default-cpu-type'?: string
  'default-ram-id'?: string
}

export interface MemoryBackendFileProperties {
  dump?: boolean
  'host-nodes'?: number[]
  merge?: boolean
  policy?: HostMemPolicy
  prealloc?: boolean
  'prealloc-threads'?: number
  'prealloc-context'?: string
  share?: boolean
  reserve?: boolean
  size: number
  align?: number
  'discard-data'?: boolean
  'mem-path': string
  pmem?: boolean
  readonly?: boolean
}

export interface MemoryBackendMemfdProperties {
  dump?: boolean
  'host-nodes'?: number[]
  merge?: boolean
  policy?: HostMemPolicy
  prealloc?: boolean
  'prealloc-threads'?: number
  'prealloc-context'?: string
  share?: boolean
  reserve?: boolean
  size: number
  hugetlb?: boolean
  hugetlbsize?: number
  seal?: boolean
}

export interface MemoryBackendProperties {
  dump?: boolean
  'host-nodes'?: number[]
  merge?: boolean
  policy?: HostMemPolicy
  prealloc?: boolean
  'prealloc-threads'?: number
  'prealloc-context'?: string
  share?: boolean
  reserve?: boolean
  size: number
}

export interface MigrateSetParameters {
  'announce-initial'?: number
  'announce-max'?: number
  'announce-rounds'?: number
  'announce-step'?: number
  'compress-level'?: number
  'compress-threads'?: number
  'compress-wait-thread'?: boolean
  'decompress-threads'?: number
  'throttle-trigger-threshold'?: number
  'cpu-throttle-initial'?: number
  'cpu-throttle-increment'?: number
  'cpu-throttle-tailslow'?: boolean
  'tls-creds'?: StrOrNull
  'tls-hostname'?: StrOrNull
  'tls-authz'?: StrOrNull
  'max-bandwidth'?: number
  'downtime-limit'?: number
  'block-incremental'?: boolean
  'multifd-channels'?: number
  'xbzrle-cache-size'?: number
  'max-postcopy-bandwidth'?: number
  'max-cpu-throttle'?: number
  'multifd-compression'?: MultiFDCompression
  'multifd-zlib-level'?: number
  'multifd-zstd-level'?: number
  'block-bitmap-mapping'?: BitmapMigrationNodeAlias[]
}

export type MigrationCapability =
  | 'xbzrle' | 'rdma-pin-all' | 'auto-converge' | 'zero-blocks' | 'compress' | 'events' | 'postcopy-ram' | 'release-ram' | 'block'
  | 'return-path' | 'pause-before-switchover' | 'multifd' | 'dirty-bitmaps' | 'postcopy-blocktime' | 'late-block-activate'
  | 'x-ignore-shared' | 'validate-uuid' | 'background-snapshot' | 'zero-copy-send' | 'postcopy-preempt'

export interface MigrationInfo {
  status?: MigrationStatus
  ram?: MigrationStats
  disk?: MigrationStats
  vfio?: { transferred: number }
  'xbzrle-cache'?: XBZRLECacheStats
  'total-time'?: number
  'expected-downtime'?: number
  downtime?: number
  'setup-time'?: number
  'cpu-throttle-percentage'?: number
  'error-desc'?: string
  'blocked-reasons'?: string[]
  'postcopy-blocktime'?: number
  'postcopy-vcpu-blocktime'?: number[]
  compression?: CompressionStats
  'socket-address'?: SocketAddress[]
}

export interface MigrationParameters {
  'announce-initial'?: number
  'announce-max'?: number
  'announce-rounds'?: number
  'announce-step'?: number
  'compress-level'?: number
  'compress-threads'?: number
  'compress-wait-thread'?: boolean
  'decompress-threads'?: number
  'throttle-trigger-threshold'?: number
  'cpu-throttle-initial'?: number
  'cpu-throttle-increment'?: number
  'cpu-throttle-tailslow'?: boolean
  'tls-creds'?: string
  'tls-hostname'?: string
  'tls-authz'?: string
  'max-bandwidth'?: number
  'downtime-limit'?: number
  'block-incremental'?: boolean
  'multifd-channels'?: number
  'xbzrle-cache-size'?: number
  'max-postcopy-bandwidth'?: number
  'max-cpu-throttle'?: number
  'multifd-compression'?: MultiFDCompression
  'multifd-zlib-level'?: number
  'multifd-zstd-level'?: number
  'block-bitmap-mapping'?: BitmapMigrationNodeAlias[]
}

export interface MigrationStats {
  transferred: number
  remaining: number
  total: number
  duplicate: number
  skipped: number
  normal: number
  'normal-bytes': number
  'dirty-pages-rate': number
  mbps: number
  'dirty-sync-count': number
  'postcopy-requests': number
  'page-size': number
  'multifd-bytes': number
  'pages-per-second': number
  'precopy-bytes': number
  'downtime-bytes': number
  'postcopy-bytes': number
  'dirty-sync-missed-zero-copy': number
}

export type MigrationStatus =
  | 'none' | 'setup' | 'cancelling' | 'cancelled' | 'active' | 'postcopy-active' | 'postcopy-paused' | 'postcopy-recover' | 'completed'
  | 'failed' | 'colo' | 'pre-switchover' | 'device' | 'wait-unplug'

export type MirrorSyncMode = 'top' | 'full' | 'none' | 'incremental' | 'bitmap'

export type MultiFDCompression = 'none' | 'zlib' | 'zstd'

export type Netdev = { id: string } & { type: 'vde'; sock?: string; port?: number; group?: string; mode?: number }

export type NetworkAddressFamily = 'ipv4' | 'ipv6' | 'unix' | 'vsock' | 'unknown'

export type ObjectOptions = { id: string } & (
  | {
      'qom-type': 'iothread'
      'aio-max-batch'?: number
      'thread-pool-min'?: number
      'thread-pool-max'?: number
      'poll-max-ns'?: number
      'poll-grow'?: number
      'poll-shrink'?: number
    }
  | ({ 'qom-type': 'memory-backend-file' } & MemoryBackendFileProperties)
  | ({ 'qom-type': 'memory-backend-memfd' } & MemoryBackendMemfdProperties)
  | ({ 'qom-type': 'memory-backend-ram' } & MemoryBackendProperties)
  | { 'qom-type': 'rng-builtin' }
  | { 'qom-type': 'rng-random'; filename?: string }
  | { 'qom-type': 'secret'; format?: 'raw' | 'base64'; keyid?: string; iv?: string; data?: string; file?: string }
  | { 'qom-type': 'throttle-group'; limits?: ThrottleLimits }
  | {
      'qom-type': 'tls-creds-psk'
      'verify-peer'?: boolean
      dir?: string
      endpoint?: QCryptoTLSCredsEndpoint
      priority?: string
      username?: string
    }
  | {
      'qom-type': 'tls-creds-x509'
      'verify-peer'?: boolean
      dir?: string
      endpoint?: QCryptoTLSCredsEndpoint
      priority?: string
      'sanity-check'?: boolean
      passwordid?: string
    }
)

export interface ObjectPropertyInfo {
  name: string
  type: string
  description?: string
  'default-value'?: unknown
}

export interface PciDeviceInfo {
  bus: number
  slot: number
  function: number
  class_info: { desc?: string; class: number }
  id: { device: number; vendor: number; subsystem?: number; 'subsystem-vendor'?: number }
  irq?: number
  irq_pin: number
  qdev_id: string
  pci_bridge?: {
    bus: {
      number: number
      secondary: number
      subordinate: number
      io_range: { base: number; limit: number }
      memory_range: { base: number; limit: number }
      prefetchable_range: { base: number; limit: number }
    }
    devices?: PciDeviceInfo[]
  }
  regions: { bar: number; type: string; address: number; size: number; prefetch?: boolean; mem_type_64?: boolean }[]
}

export type PreallocMode = 'off' | 'metadata' | 'falloc' | 'full'

export type QCryptoBlockCreateOptions = { format: 'luks' } & QCryptoBlockCreateOptionsLUKS

export interface QCryptoBlockCreateOptionsLUKS {
  'key-secret'?: string
  'cipher-alg'?: QCryptoCipherAlgorithm
  'cipher-mode'?: QCryptoCipherMode
  'ivgen-alg'?: QCryptoIVGenAlgorithm
  'ivgen-hash-alg'?: QCryptoHashAlgorithm
  'hash-alg'?: QCryptoHashAlgorithm
  'iter-time'?: number
}

export interface QCryptoBlockInfoLUKS {
  'cipher-alg': QCryptoCipherAlgorithm
  'cipher-mode': QCryptoCipherMode
  'ivgen-alg': QCryptoIVGenAlgorithm
  'ivgen-hash-alg'?: QCryptoHashAlgorithm
  'hash-alg': QCryptoHashAlgorithm
  'payload-offset': number
  'master-key-iters': number
  uuid: string
  slots: { active: boolean; iters?: number; stripes?: number; 'key-offset': number }[]
}

export type QCryptoCipherAlgorithm =
  | 'aes-128' | 'aes-192' | 'aes-256' | 'des' | '3des' | 'cast5-128' | 'serpent-128' | 'serpent-192' | 'serpent-256' | 'twofish-128'
  | 'twofish-192' | 'twofish-256'

export type QCryptoCipherMode = 'ecb' | 'cbc' | 'xts' | 'ctr'

export type QCryptoHashAlgorithm = 'md5' | 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512' | 'ripemd160'

export type QCryptoIVGenAlgorithm = 'plain' | 'plain64' | 'essiv'

export type QCryptoTLSCredsEndpoint = 'client' | 'server'

export type QKeyCode =
  | 'unmapped' | 'shift' | 'shift_r' | 'alt' | 'alt_r' | 'ctrl' | 'ctrl_r' | 'menu' | 'esc' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8'
  | '9' | '0' | 'minus' | 'equal' | 'backspace' | 'tab' | 'q' | 'w' | 'e' | 'r' | 't' | 'y' | 'u' | 'i' | 'o' | 'p' | 'bracket_left'
  | 'bracket_right' | 'ret' | 'a' | 's' | 'd' | 'f' | 'g' | 'h' | 'j' | 'k' | 'l' | 'semicolon' | 'apostrophe' | 'grave_accent'
  | 'backslash' | 'z' | 'x' | 'c' | 'v' | 'b' | 'n' | 'm' | 'comma' | 'dot' | 'slash' | 'asterisk' | 'spc' | 'caps_lock' | 'f1' | 'f2'
  | 'f3' | 'f4' | 'f5' | 'f6' | 'f7' | 'f8' | 'f9' | 'f10' | 'num_lock' | 'scroll_lock' | 'kp_divide' | 'kp_multiply' | 'kp_subtract'
  | 'kp_add' | 'kp_enter' | 'kp_decimal' | 'sysrq' | 'kp_0' | 'kp_1' | 'kp_2' | 'kp_3' | 'kp_4' | 'kp_5' | 'kp_6' | 'kp_7' | 'kp_8' | 'kp_9'
  | 'less' | 'f11' | 'f12' | 'print' | 'home' | 'pgup' | 'pgdn' | 'end' | 'left' | 'up' | 'down' | 'right' | 'insert' | 'delete' | 'stop'
  | 'again' | 'props' | 'undo' | 'front' | 'copy' | 'open' | 'paste' | 'find' | 'cut' | 'lf' | 'help' | 'meta_l' | 'meta_r' | 'compose'
  | 'pause' | 'ro' | 'hiragana' | 'henkan' | 'yen' | 'muhenkan' | 'katakanahiragana' | 'kp_comma' | 'kp_equals' | 'power' | 'sleep' | 'wake'
  | 'audionext' | 'audioprev' | 'audiostop' | 'audioplay' | 'audiomute' | 'volumeup' | 'volumedown' | 'mediaselect' | 'mail' | 'calculator'
  | 'computer' | 'ac_home' | 'ac_back' | 'ac_forward' | 'ac_refresh' | 'ac_bookmarks' | 'lang1' | 'lang2'

export interface Qcow2BitmapInfo {
  name: string
  granularity: number
  flags: ('in-use' | 'auto')[]
}

export type Qcow2CompressionType = 'zlib' | 'zstd'

export interface Qcow2OverlapCheckFlags {
  template?: Qcow2OverlapCheckMode
  'main-header'?: boolean
  'active-l1'?: boolean
  'active-l2'?: boolean
  'refcount-table'?: boolean
  'refcount-block'?: boolean
  'snapshot-table'?: boolean
  'inactive-l1'?: boolean
  'inactive-l2'?: boolean
  'bitmap-directory'?: boolean
}

export type Qcow2OverlapCheckMode = 'none' | 'constant' | 'cached' | 'all'

export type Qcow2OverlapChecks = Qcow2OverlapCheckFlags | Qcow2OverlapCheckMode

export type RunState =
  | 'debug' | 'inmigrate' | 'internal-error' | 'io-error' | 'paused' | 'postmigrate' | 'prelaunch' | 'finish-migrate' | 'restore-vm'
  | 'running' | 'save-vm' | 'shutdown' | 'suspended' | 'watchdog' | 'guest-panicked' | 'colo'

export type SchemaInfo = { name: string; features?: string[] } & (
  | { 'meta-type': 'builtin'; 'json-type': JSONType }
  | { 'meta-type': 'enum'; members: { name: string; features?: string[] }[] }
  | { 'meta-type': 'array'; 'element-type': string }
  | {
      'meta-type': 'object'
      members: { name: string; type: string; default?: unknown; features?: string[] }[]
      tag?: string
      variants?: { case: string; type: string }[]
    }
  | { 'meta-type': 'alternate'; members: { type: string }[] }
  | { 'meta-type': 'command'; 'arg-type': string; 'ret-type': string; 'allow-oob'?: boolean }
  | { 'meta-type': 'event'; 'arg-type': string }
)

export type ShutdownCause =
  | 'none' | 'host-error' | 'host-qmp-quit' | 'host-qmp-system-reset' | 'host-signal' | 'host-ui' | 'guest-shutdown' | 'guest-reset'
  | 'guest-panic' | 'subsystem-reset' | 'snapshot-load'

export interface SnapshotInfo {
  id: string
  name: string
  'vm-state-size': number
  'date-sec': number
  'date-nsec': number
  'vm-clock-sec': number
  'vm-clock-nsec': number
  icount?: number
}

export type SocketAddress =
  | ({ type: 'inet' } & InetSocketAddress)
  | { type: 'unix'; path: string; abstract?: boolean; tight?: boolean }
  | { type: 'vsock'; cid: string; port: string }
  | { type: 'fd'; str: string }

export type SocketAddressLegacy =
  | { type: 'inet'; data: InetSocketAddress }
  | { type: 'unix'; data: { path: string; abstract?: boolean; tight?: boolean } }
  | { type: 'vsock'; data: { cid: string; port: string } }
  | { type: 'fd'; data: { str: string } }

export type StrOrNull = string | null

export type SysEmuTarget =
  | 'aarch64' | 'alpha' | 'arm' | 'avr' | 'cris' | 'hppa' | 'i386' | 'loongarch64' | 'm68k' | 'microblaze' | 'microblazeel' | 'mips'
  | 'mips64' | 'mips64el' | 'mipsel' | 'nios2' | 'or1k' | 'ppc' | 'ppc64' | 'riscv32' | 'riscv64' | 'rx' | 's390x' | 'sh4' | 'sh4eb'
  | 'sparc' | 'sparc64' | 'tricore' | 'x86_64' | 'xtensa' | 'xtensaeb'

export interface ThrottleLimits {
  'iops-total'?: number
  'iops-total-max'?: number
  'iops-total-max-length'?: number
  'iops-read'?: number
  'iops-read-max'?: number
  'iops-read-max-length'?: number
  'iops-write'?: number
  'iops-write-max'?: number
  'iops-write-max-length'?: number
  'bps-total'?: number
  'bps-total-max'?: number
  'bps-total-max-length'?: number
  'bps-read'?: number
  'bps-read-max'?: number
  'bps-read-max-length'?: number
  'bps-write'?: number
  'bps-write-max'?: number
  'bps-write-max-length'?: number
  'iops-size'?: number
}

export type TransactionAction =
  | { type: 'abort'; data: None }
  | { type: 'block-dirty-bitmap-add'; data: BlockDirtyBitmapAdd }
  | { type: 'block-dirty-bitmap-remove'; data: BlockDirtyBitmap }
  | { type: 'blockdev-backup'; data: BlockdevBackup }
  | { type: 'blockdev-snapshot'; data: BlockdevSnapshot }

export interface VncClientInfo {
  host: string
  service: string
  family: NetworkAddressFamily
  websocket: boolean
  x509_dname?: string
  sasl_username?: string
}

export interface VncInfo {
  enabled: boolean
  host?: string
  family?: NetworkAddressFamily
  service?: string
  auth?: string
  clients?: VncClientInfo[]
}

export interface VncServerInfo {
  host: string
  service: string
  family: NetworkAddressFamily
  websocket: boolean
  auth?: string
}

export type WatchdogAction = 'reset' | 'shutdown' | 'poweroff' | 'pause' | 'debug' | 'none' | 'inject-nmi'

export interface XBZRLECacheStats {
  'cache-size': number
  bytes: number
  pages: number
  'cache-miss': number
  'cache-miss-rate': number
  'encoding-rate': number
  overflow: number
}
