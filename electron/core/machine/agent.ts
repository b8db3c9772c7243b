import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { failure, Failure, type GuestInfo } from '#contract'
import { AgentLink, type PortWatch } from '../qmp/agent-link'
import type { QmpSession } from '../qmp/session'
import type { WaitOptions } from '../qmp/wait'
import { cancelled } from '../task/work'

/** First and longest pause between looks at a program that runs in the guest. */
const POLL_FIRST_MS = 3
const POLL_LONGEST_MS = 200
/** Freezing waits until the guest has written what it holds back. */
const FREEZE_TIMEOUT_MS = 60_000

/** By default an answer may take 10 s. */
export type AgentOptions = WaitOptions

export interface ExecOptions extends AgentOptions {
  /** Text for its standard input. */
  input?: string | undefined
  /** More environment, as `NAME=value`. */
  environment?: readonly string[] | undefined
  timeoutMs: number
}

export interface ExecResult {
  /** Null when a signal ended it. */
  exitCode: number | null
  signal: number | null
  stdout: string
  stderr: string
  /** The agent keeps 16 MiB of each, and this says that there was more. */
  truncated: boolean
}

export interface GuestInterface {
  name: string
  mac: string | null
  addresses: { address: string; prefix: number; family: string }[]
  /** Null where the guest does not count. */
  statistics: { receivedBytes: number; sentBytes: number } | null
}

/** Where a device is on the PCI bus, as its guest counts. */
export interface PciPlace {
  bus: number
  slot: number
  function: number
}

const Info = z.object({ version: z.string() })
const HostName = z.object({ 'host-name': z.string() })
const OsInfo = z.object({ 'pretty-name': z.string().optional(), name: z.string().optional(), 'kernel-release': z.string().optional() })
const Interfaces = z.array(
  z.object({
    name: z.string(),
    'hardware-address': z.string().optional(),
    'ip-addresses': z.array(z.object({ 'ip-address': z.string(), 'ip-address-type': z.string(), prefix: z.number() })).optional(),
    statistics: z.object({ 'rx-bytes': z.number(), 'tx-bytes': z.number() }).optional()
  })
)
const FileSystems = z.array(
  z.object({
    mountpoint: z.string(),
    type: z.string(),
    'total-bytes': z.number().optional(),
    'used-bytes': z.number().optional(),
    disk: z.array(z.object({ 'pci-controller': z.object({ bus: z.number(), slot: z.number(), function: z.number() }) })).optional()
  })
)
const Started = z.object({ pid: z.number() })
const ExecStatus = z.object({
  exited: z.boolean(),
  exitcode: z.number().optional(),
  signal: z.number().optional(),
  'out-data': z.string().optional(),
  'err-data': z.string().optional(),
  'out-truncated': z.boolean().optional(),
  'err-truncated': z.boolean().optional()
})

/**
 * Whether a port of virtio-serial is open in the guest, from its machine's monitor.
 * @param portId the port's device id
 * @param chardevId of its character device: tells how it is now, which the event does not
 */
export function watchPort(qmp: QmpSession, portId: string, chardevId: string): PortWatch {
  return (listener) => {
    const unsubscribe = qmp.onEvent('VSERPORT_CHANGE', (data) => {
      if (data.id === portId) listener(data.open)
    })
    qmp.execute('query-chardev').then(
      (chardevs) => {
        const port = chardevs.find((chardev) => chardev.label === chardevId)
        if (port) listener(port['frontend-open'])
      },
      () => {} // a monitor that is gone tells nothing; the agent can be asked all the same
    )
    return unsubscribe
  }
}

/**
 * The guest agent of one machine (qga/qapi-schema.json, since QEMU 1.1). Connected when first needed; commands run one at a
 * time, in the order of the calls, and wait for their turn within their own time. What comes from the guest is checked.
 * Every command throws no-agent, qmp (the agent refused), connection-lost, protocol, time-out, cancelled.
 */
export class GuestAgent {
  private readonly link: AgentLink

  /**
   * @param path of the port's Unix socket
   * @param name the machine's, for messages
   * @param port tells when the agent comes and goes; without it that is found out by asking
   */
  constructor(
    path: string,
    private readonly name: string,
    port?: PortWatch
  ) {
    this.link = new AgentLink(path, name, port)
  }

  /** Waits until the agent answers; without end, unless told otherwise. Best called before it can: it is then noticed at once. */
  waitUntilReady(options: WaitOptions = {}): Promise<void> {
    return this.link.waitUntilReady(options)
  }

  /** @returns how long the answer took, in milliseconds */
  async ping(options: AgentOptions = {}): Promise<number> {
    const started = performance.now()
    await this.link.run('guest-ping', {}, options)
    return performance.now() - started
  }

  /** Everything the agent tells about its guest. What an agent does not know is null or empty. */
  async info(options: AgentOptions = {}): Promise<GuestInfo> {
    const { version } = await this.command('guest-info', {}, Info, options)
    const host = await ifKnown(this.command('guest-get-host-name', {}, HostName, options))
    const system = await ifKnown(this.command('guest-get-osinfo', {}, OsInfo, options))
    const interfaces = await ifKnown(this.interfaces(options))
    const fileSystems = await ifKnown(this.fileSystems(options))
    return {
      hostname: host?.['host-name'] ?? null,
      system: system?.['pretty-name'] ?? system?.name ?? null,
      kernel: system?.['kernel-release'] ?? null,
      agentVersion: version,
      interfaces: (interfaces ?? []).map(({ name, mac, addresses }) => ({ name, mac, addresses: addresses.map(({ address, prefix }) => `${address}/${prefix}`) })),
      fileSystems: fileSystems ?? []
    }
  }

  async hostname(options: AgentOptions = {}): Promise<string> {
    return (await this.command('guest-get-host-name', {}, HostName, options))['host-name']
  }

  async interfaces(options: AgentOptions = {}): Promise<GuestInterface[]> {
    const interfaces = await this.command('guest-network-get-interfaces', {}, Interfaces, options)
    return interfaces.map((nic) => ({
      name: nic.name,
      mac: nic['hardware-address'] ?? null,
      addresses: (nic['ip-addresses'] ?? []).map((one) => ({ address: one['ip-address'], prefix: one.prefix, family: one['ip-address-type'] })),
      statistics: nic.statistics ? { receivedBytes: nic.statistics['rx-bytes'], sentBytes: nic.statistics['tx-bytes'] } : null
    }))
  }

  /** Bytes that all interfaces but the loopback have received and sent. */
  async networkBytes(options: AgentOptions = {}): Promise<{ received: number; sent: number }> {
    const outer = (await this.interfaces(options)).filter(({ name }) => name !== 'lo')
    const sum = (key: 'receivedBytes' | 'sentBytes'): number => outer.reduce((bytes, { statistics }) => bytes + (statistics?.[key] ?? 0), 0)
    return { received: sum('receivedBytes'), sent: sum('sentBytes') }
  }

  async fileSystems(options: AgentOptions = {}): Promise<GuestInfo['fileSystems']> {
    const fileSystems = await this.command('guest-get-fsinfo', {}, FileSystems, options)
    return fileSystems.map((fs) => ({ mountpoint: fs.mountpoint, type: fs.type, totalBytes: fs['total-bytes'] ?? null, usedBytes: fs['used-bytes'] ?? null }))
  }

  /** Where file systems are mounted that lie on the disk at a place of the PCI bus, in whole or in part. */
  async mountedFrom(place: PciPlace, options: AgentOptions = {}): Promise<string[]> {
    const fileSystems = await this.command('guest-get-fsinfo', {}, FileSystems, options)
    const isThere = ({ bus, slot, function: part }: PciPlace): boolean => bus === place.bus && slot === place.slot && part === place.function
    return fileSystems.filter(({ disk }) => disk?.some((one) => isThere(one['pci-controller']))).map(({ mountpoint }) => mountpoint)
  }

  /**
   * Runs a program in the guest and waits for its end. Other commands go on between looks at it.
   * @param command program and arguments; no shell is involved
   * @throws time-out and cancelled: the program goes on in the guest
   */
  async exec(command: readonly string[], { input, environment, timeoutMs, signal }: ExecOptions): Promise<ExecResult> {
    const [path = '', ...args] = command
    const given = { path, arg: args, 'capture-output': true, ...(environment && { env: environment }), ...(input !== undefined && { 'input-data': base64(input) }) }
    const deadlineMs = performance.now() + timeoutMs
    const { pid } = await this.command('guest-exec', given, Started, { signal })
    for (let pauseMs = POLL_FIRST_MS; ; pauseMs = Math.min(POLL_LONGEST_MS, pauseMs * 1.5)) {
      const status = await this.command('guest-exec-status', { pid }, ExecStatus, { signal })
      if (status.exited) return execResult(status)
      const leftMs = deadlineMs - performance.now()
      if (leftMs <= 0) {
        throw failure('time-out', `“${path}” did not end within ${timeoutMs / 1000} s in the guest; it goes on there as process ${pid}.`, { waitedMs: timeoutMs })
      }
      await pause(Math.min(pauseMs, leftMs), signal)
    }
  }

  /**
   * Asks the guest to power off, and returns when the agent has taken that. It answers only when it cannot.
   * @throws time-out when it did not say in time that it has: press the power button
   */
  async shutdown(options: AgentOptions = {}): Promise<void> {
    await this.link.runUnanswered('guest-shutdown', { mode: 'powerdown' }, options)
  }

  /** Writes out and stops all file systems of the guest, until `thaw`. @returns how many */
  freeze(options: AgentOptions = {}): Promise<number> {
    return this.command('guest-fsfreeze-freeze', {}, z.number(), { timeoutMs: FREEZE_TIMEOUT_MS, ...options })
  }

  /** @returns how many file systems were frozen, and go on */
  thaw(options: AgentOptions = {}): Promise<number> {
    return this.command('guest-fsfreeze-thaw', {}, z.number(), { timeoutMs: FREEZE_TIMEOUT_MS, ...options })
  }

  async freezeStatus(options: AgentOptions = {}): Promise<'thawed' | 'frozen'> {
    return this.command('guest-fsfreeze-status', {}, z.enum(['thawed', 'frozen']), options)
  }

  /**
   * Acts while the guest's file systems are frozen, and thaws them in any case, also when it is cancelled or fails. A freeze
   * that was not answered in time may still come about, so it is thawed too.
   * @throws what `act` throws; and when they could not be thawed, which the message then says
   */
  async whileFrozen<T>(act: () => Promise<T>, options: AgentOptions = {}): Promise<T> {
    try {
      await this.freeze(options)
    } catch (error) {
      if (mayFreezeYet(error)) await this.thawAfter(error)
      throw error
    }
    let failed: unknown = null
    try {
      return await act()
    } catch (error) {
      failed = error
      throw error
    } finally {
      await this.thawAfter(failed)
    }
  }

  private async thawAfter(failed: unknown): Promise<void> {
    try {
      await this.thaw()
    } catch (error) {
      throw failure('wrong-state', `The file systems of “${this.name}” are frozen and could not be thawed.`, {
        name: this.name,
        state: 'frozen',
        next: 'In the guest, run fsfreeze --unfreeze on each file system, or reset it.',
        cause: [failed, error]
      })
    }
  }

  close(): void {
    this.link.close()
  }

  private async command<S extends z.ZodType>(command: string, given: object, schema: S, options: AgentOptions): Promise<z.output<S>> {
    const parsed = schema.safeParse(await this.link.run(command, given, options))
    if (parsed.success) return parsed.data
    throw failure('protocol', `The guest agent of “${this.name}” answered ${command} in a way that it should not.`, { peer: 'guest agent', cause: parsed.error })
  }
}

/** Null when the agent refuses: a small one may lack the command. That it is gone altogether is another matter. */
async function ifKnown<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer
  } catch (error) {
    if (codeOf(error) === 'qmp') return null
    throw error
  }
}

const codeOf = (error: unknown): string | null => (error instanceof Failure ? error.error.code : null)
/** Whether a freeze that failed may have frozen something, or still do so: not when it was refused, as the agent thaws then, or never sent. */
const mayFreezeYet = (error: unknown): boolean => codeOf(error) !== 'qmp' && codeOf(error) !== 'no-agent'

function execResult(status: z.output<typeof ExecStatus>): ExecResult {
  return {
    exitCode: status.exitcode ?? null,
    signal: status.signal ?? null,
    stdout: text(status['out-data']),
    stderr: text(status['err-data']),
    truncated: Boolean(status['out-truncated'] || status['err-truncated'])
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, signal ? { signal } : {})
  } catch {
    throw cancelled() // the only way a delay fails
  }
}

const base64 = (value: string): string => Buffer.from(value).toString('base64')
const text = (data: string | undefined): string => (data === undefined ? '' : Buffer.from(data, 'base64').toString())
