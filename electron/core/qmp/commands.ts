/**
 * The QMP commands and events that Strata uses, as QEMU's schema declares them (qapi/*.json). That each exists and takes
 * these arguments is checked against `query-qmp-schema` of the installed QEMU in test/integration/qmp-schema.test.ts.
 */
export interface Commands {
  qmp_capabilities: { arguments: { enable?: 'oob'[] }; returns: object }
  'query-status': { arguments: object; returns: { status: RunState; running: boolean } }
  'query-version': { arguments: object; returns: { qemu: { major: number; minor: number; micro: number }; package: string } }
  'query-name': { arguments: object; returns: { name?: string } }
  'query-uuid': { arguments: object; returns: { UUID: string } }
  stop: { arguments: object; returns: object }
  cont: { arguments: object; returns: object }
  quit: { arguments: object; returns: object }
  system_powerdown: { arguments: object; returns: object }
  system_reset: { arguments: object; returns: object }
  'query-blockstats': { arguments: { 'query-nodes'?: boolean }; returns: BlockStats[] }
  'query-machines': { arguments: object; returns: MachineInfo[] }
  'query-target': { arguments: object; returns: { arch: string } }
  'query-qmp-schema': { arguments: object; returns: SchemaInfo[] }
  'query-chardev': { arguments: object; returns: { label: string; filename: string; 'frontend-open': boolean }[] }
  'human-monitor-command': { arguments: { 'command-line': string; 'cpu-index'?: number }; returns: string }
  screendump: { arguments: { filename: string; device?: string; head?: number; format?: 'ppm' | 'png' }; returns: object }
}

export interface Events {
  SHUTDOWN: { guest: boolean; reason: ShutdownCause }
  POWERDOWN: object
  RESET: { guest: boolean; reason: ShutdownCause }
  STOP: object
  RESUME: object
  GUEST_PANICKED: { action: 'pause' | 'poweroff' | 'run' }
  BLOCK_IO_ERROR: {
    device: string
    'node-name'?: string
    operation: 'read' | 'write'
    action: 'ignore' | 'report' | 'stop'
    nospace?: boolean
    reason: string
  }
  VSERPORT_CHANGE: { id: string; open: boolean }
}

export type RunState =
  | 'debug'
  | 'inmigrate'
  | 'internal-error'
  | 'io-error'
  | 'paused'
  | 'postmigrate'
  | 'prelaunch'
  | 'finish-migrate'
  | 'restore-vm'
  | 'running'
  | 'save-vm'
  | 'shutdown'
  | 'suspended'
  | 'watchdog'
  | 'guest-panicked'
  | 'colo'

export type ShutdownCause =
  | 'none'
  | 'host-error'
  | 'host-qmp-quit'
  | 'host-qmp-system-reset'
  | 'host-signal'
  | 'host-ui'
  | 'guest-shutdown'
  | 'guest-reset'
  | 'guest-panic'
  | 'subsystem-reset'
  | 'snapshot-load'

export interface BlockStats {
  'node-name'?: string
  qdev?: string
  stats: { rd_bytes: number; wr_bytes: number; rd_operations: number; wr_operations: number; flush_operations: number }
}

export interface MachineInfo {
  name: string
  alias?: string
  'is-default'?: boolean
  'cpu-max': number
  deprecated: boolean
}

export type SchemaInfo =
  | { 'meta-type': 'command'; name: string; 'arg-type': string; 'ret-type': string }
  | { 'meta-type': 'event'; name: string; 'arg-type': string }
  | { 'meta-type': 'object'; name: string; members: { name: string; type: string; default?: null }[]; tag?: string }
  | { 'meta-type': 'enum'; name: string; values: string[]; members?: { name: string }[] }
  | { 'meta-type': 'array'; name: string; 'element-type': string }
  | { 'meta-type': 'alternate'; name: string; members: { type: string }[] }
  | { 'meta-type': 'builtin'; name: string; 'json-type': string }
