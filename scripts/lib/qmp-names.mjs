// What of QMP Strata uses, and what its types are called: introspection gives types numbers, so the names here are those of
// QEMU's own qapi/*.json, each with one path that leads to it. A type without a name is written out where it is used.

export const COMMANDS = [
  // monitor, QEMU and machine (qapi/control.json, run-state.json, machine.json, misc.json)
  ...['qmp_capabilities', 'query-version', 'query-commands', 'query-qmp-schema', 'human-monitor-command', 'quit'],
  ...['query-status', 'stop', 'cont', 'set-action', 'system_reset', 'system_powerdown', 'query-name', 'query-uuid', 'query-kvm', 'query-target'],
  ...['query-machines', 'query-cpus-fast', 'query-cpu-definitions', 'query-hotpluggable-cpus', 'query-memory-size-summary', 'query-iothreads'],
  ...['query-balloon', 'balloon', 'query-pci', 'query-chardev', 'chardev-add', 'chardev-remove', 'query-vnc', 'screendump', 'send-key', 'set_link'],
  // network (qapi/net.json)
  ...['netdev_add', 'netdev_del'],
  // devices and objects (qapi/qdev.json, qom.json)
  ...['device_add', 'device_del', 'device-list-properties', 'object-add', 'object-del', 'qom-get', 'qom-list', 'qom-list-types', 'qom-set'],
  // block layer (qapi/block-core.json, block-export.json, job.json, transaction.json)
  ...['query-block', 'query-blockstats', 'query-named-block-nodes', 'blockdev-add', 'blockdev-del', 'blockdev-reopen', 'blockdev-create'],
  ...['block_resize', 'block-commit', 'block-stream', 'blockdev-snapshot', 'blockdev-mirror', 'blockdev-backup', 'transaction'],
  ...['block-dirty-bitmap-add', 'block-dirty-bitmap-remove', 'query-jobs', 'job-pause', 'job-resume', 'job-cancel', 'job-complete', 'job-finalize'],
  ...['job-dismiss', 'block-job-set-speed', 'block-export-add', 'block-export-del', 'query-block-exports', 'nbd-server-start', 'nbd-server-stop'],
  // migration (qapi/migration.json)
  ...['migrate', 'migrate-incoming', 'migrate_cancel', 'migrate-start-postcopy', 'query-migrate', 'migrate-set-capabilities'],
  ...['query-migrate-capabilities', 'migrate-set-parameters', 'query-migrate-parameters'],
  // trace events (qapi/trace.json)
  ...['trace-event-get-state', 'trace-event-set-state']
]

export const EVENTS = [
  ...['SHUTDOWN', 'POWERDOWN', 'RESET', 'STOP', 'RESUME', 'GUEST_PANICKED', 'WATCHDOG', 'RTC_CHANGE', 'BALLOON_CHANGE', 'VSERPORT_CHANGE'],
  ...['DEVICE_DELETED', 'DEVICE_UNPLUG_GUEST_ERROR', 'BLOCK_IO_ERROR', 'BLOCK_JOB_READY', 'BLOCK_JOB_COMPLETED', 'BLOCK_JOB_ERROR'],
  ...['BLOCK_EXPORT_DELETED', 'JOB_STATUS_CHANGE', 'MIGRATION', 'VNC_CONNECTED', 'VNC_INITIALIZED', 'VNC_DISCONNECTED']
]

/** Commands that take more members than the schema tells: the properties of a device are known by its driver alone. */
export const OPEN = ['device_add']

/** Used although unstable. `x-ignore-shared`, a capability of migrations: the same since QEMU 4.0, and nothing stable keeps memory out of a stream. */
export const UNSTABLE = ['x-ignore-shared']

/** Of large unions the branches that Strata uses; an answer may hold any other, then without its members. */
export const BRANCHES = {
  BlockdevOptions: ['copy-on-read', 'copy-before-write', 'file', 'host_device', 'nbd', 'null-co', 'preallocate', 'qcow2', 'raw', 'throttle', 'vdi', 'vhdx', 'vmdk', 'vpc'],
  BlockdevCreateOptions: ['file', 'qcow2', 'vdi', 'vhdx', 'vmdk', 'vpc'],
  BlockStatsSpecific: ['file', 'host_device'],
  BlockExportOptions: ['nbd', 'vhost-user-blk'],
  Netdev: ['vde'],
  ImageInfoSpecific: ['qcow2', 'vmdk'],
  ChardevBackend: ['socket'],
  ObjectOptions: [
    ...['iothread', 'memory-backend-file', 'memory-backend-memfd', 'memory-backend-ram', 'rng-builtin', 'rng-random', 'secret'],
    ...['throttle-group', 'tls-creds-psk', 'tls-creds-x509']
  ],
  TransactionAction: ['abort', 'block-dirty-bitmap-add', 'block-dirty-bitmap-remove', 'blockdev-backup', 'blockdev-snapshot'],
  BlockdevQcow2Encryption: ['luks'],
  ImageInfoSpecificQCow2Encryption: ['luks'],
  QCryptoBlockOpenOptions: ['luks'],
  QCryptoBlockCreateOptions: ['luks'],
  CpuInfoFast: []
}

/** Type -> a path to it: a command and `arguments` or `returns`, or an event and `data`; then `.member`, `[]`, `<branch>`, `|alternative`. */
export const NAMES = {
  // answers
  RunState: 'query-status returns.status',
  MachineInfo: 'query-machines returns[]',
  CpuInfoFast: 'query-cpus-fast returns[]',
  CpuInstanceProperties: 'query-cpus-fast returns[].props',
  CpuDefinitionInfo: 'query-cpu-definitions returns[]',
  SysEmuTarget: 'query-target returns.arch',
  SchemaInfo: 'query-qmp-schema returns[]',
  JSONType: 'query-qmp-schema returns[]<builtin>.json-type',
  PciDeviceInfo: 'query-pci returns[].devices[]',
  VncInfo: 'query-vnc returns',
  VncClientInfo: 'query-vnc returns.clients[]',
  VncServerInfo: 'VNC_CONNECTED data.server',
  NetworkAddressFamily: 'query-vnc returns.family',
  ObjectPropertyInfo: 'qom-list returns[]',
  BlockInfo: 'query-block returns[]',
  BlockDeviceInfo: 'query-block returns[].inserted',
  BlockDirtyInfo: 'query-block returns[].inserted.dirty-bitmaps[]',
  BlockdevCacheInfo: 'query-block returns[].inserted.cache',
  ImageInfo: 'query-block returns[].inserted.image',
  ImageInfoSpecific: 'query-block returns[].inserted.image.format-specific',
  ImageInfoSpecificQCow2: 'query-block returns[].inserted.image.format-specific<qcow2>.data',
  ImageInfoSpecificQCow2Encryption: 'query-block returns[].inserted.image.format-specific<qcow2>.data.encrypt',
  QCryptoBlockInfoLUKS: 'query-block returns[].inserted.image.format-specific<luks>.data',
  QCryptoCipherAlgorithm: 'query-block returns[].inserted.image.format-specific<luks>.data.cipher-alg',
  QCryptoCipherMode: 'query-block returns[].inserted.image.format-specific<luks>.data.cipher-mode',
  QCryptoIVGenAlgorithm: 'query-block returns[].inserted.image.format-specific<luks>.data.ivgen-alg',
  QCryptoHashAlgorithm: 'query-block returns[].inserted.image.format-specific<luks>.data.hash-alg',
  Qcow2BitmapInfo: 'query-block returns[].inserted.image.format-specific<qcow2>.data.bitmaps[]',
  Qcow2CompressionType: 'query-block returns[].inserted.image.format-specific<qcow2>.data.compression-type',
  SnapshotInfo: 'query-block returns[].inserted.image.snapshots[]',
  BlockStats: 'query-blockstats returns[]',
  BlockDeviceStats: 'query-blockstats returns[].stats',
  BlockDeviceTimedStats: 'query-blockstats returns[].stats.timed_stats[]',
  BlockLatencyHistogramInfo: 'query-blockstats returns[].stats.rd_latency_histogram',
  BlockStatsSpecific: 'query-blockstats returns[].driver-specific',
  JobInfo: 'query-jobs returns[]',
  JobType: 'query-jobs returns[].type',
  JobStatus: 'query-jobs returns[].status',
  BlockExportInfo: 'query-block-exports returns[]',
  BlockExportType: 'query-block-exports returns[].type',
  MigrationInfo: 'query-migrate returns',
  MigrationStatus: 'query-migrate returns.status',
  MigrationStats: 'query-migrate returns.ram',
  XBZRLECacheStats: 'query-migrate returns.xbzrle-cache',
  CompressionStats: 'query-migrate returns.compression',
  MigrationParameters: 'query-migrate-parameters returns',
  MultiFDCompression: 'query-migrate-parameters returns.multifd-compression',
  BitmapMigrationNodeAlias: 'query-migrate-parameters returns.block-bitmap-mapping[]',
  MigrationCapability: 'migrate-set-capabilities arguments.capabilities[].capability',
  ShutdownCause: 'SHUTDOWN data.reason',
  WatchdogAction: 'WATCHDOG data.action',
  GuestPanicInformation: 'GUEST_PANICKED data.info',
  IoOperationType: 'BLOCK_IO_ERROR data.operation',
  BlockErrorAction: 'BLOCK_IO_ERROR data.action',
  // arguments
  QKeyCode: 'send-key arguments.keys[]<qcode>.data',
  BlockdevOptions: 'blockdev-add arguments',
  BlockdevRef: 'blockdev-add arguments<raw>.file',
  BlockdevRefOrNull: 'blockdev-add arguments<qcow2>.backing',
  BlockdevCacheOptions: 'blockdev-add arguments.cache',
  BlockdevDetectZeroesOptions: 'blockdev-add arguments.detect-zeroes',
  BlockdevDriver: 'blockdev-add arguments.driver',
  BlockdevOptionsFile: 'blockdev-add arguments<file>',
  BlockdevOptionsQcow2: 'blockdev-add arguments<qcow2>',
  BlockdevQcow2Encryption: 'blockdev-add arguments<qcow2>.encrypt',
  Qcow2OverlapChecks: 'blockdev-add arguments<qcow2>.overlap-check',
  Qcow2OverlapCheckMode: 'blockdev-add arguments<qcow2>.overlap-check|1',
  Qcow2OverlapCheckFlags: 'blockdev-add arguments<qcow2>.overlap-check|0',
  BlockDirtyBitmap: 'blockdev-add arguments<copy-before-write>.bitmap',
  BlockdevCreateOptions: 'blockdev-create arguments.options',
  BlockdevCreateOptionsQcow2: 'blockdev-create arguments.options<qcow2>',
  BlockdevCreateOptionsVmdk: 'blockdev-create arguments.options<vmdk>',
  BlockdevVmdkSubformat: 'blockdev-create arguments.options<vmdk>.subformat',
  PreallocMode: 'blockdev-create arguments.options<qcow2>.preallocation',
  QCryptoBlockCreateOptions: 'blockdev-create arguments.options<qcow2>.encrypt',
  QCryptoBlockCreateOptionsLUKS: 'blockdev-create arguments.options<qcow2>.encrypt<luks>',
  InetSocketAddress: 'nbd-server-start arguments.addr<inet>.data',
  SocketAddress: 'blockdev-add arguments<nbd>.server',
  SocketAddressLegacy: 'nbd-server-start arguments.addr',
  BlockdevOnError: 'block-commit arguments.on-error',
  BlockdevBackup: 'blockdev-backup arguments',
  MirrorSyncMode: 'blockdev-mirror arguments.sync',
  BlockDirtyBitmapAdd: 'block-dirty-bitmap-add arguments',
  BlockdevSnapshot: 'blockdev-snapshot arguments',
  TransactionAction: 'transaction arguments.actions[]',
  BlockExportOptions: 'block-export-add arguments',
  ChardevBackend: 'chardev-add arguments.backend',
  Netdev: 'netdev_add arguments',
  ChardevSocket: 'chardev-add arguments.backend<socket>.data',
  ObjectOptions: 'object-add arguments',
  MemoryBackendProperties: 'object-add arguments<memory-backend-ram>',
  MemoryBackendFileProperties: 'object-add arguments<memory-backend-file>',
  MemoryBackendMemfdProperties: 'object-add arguments<memory-backend-memfd>',
  HostMemPolicy: 'object-add arguments<memory-backend-ram>.policy',
  QCryptoTLSCredsEndpoint: 'object-add arguments<tls-creds-x509>.endpoint',
  ThrottleLimits: 'object-add arguments<throttle-group>.limits',
  MigrateSetParameters: 'migrate-set-parameters arguments',
  StrOrNull: 'migrate-set-parameters arguments.tls-creds'
}
