import { randomInt } from 'node:crypto'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { failure, type GuestInfo } from '#contract'
import { connectUnix } from '../host/socket'
import { JsonLines, SENTINEL } from '../qmp/framing'
import { cancelled } from '../task/work'

const SYNC_TIMEOUT_MS = 1000
const COMMAND_TIMEOUT_MS = 10_000
/** First and longest pause between looks at a program that runs in the guest. */
const POLL_FIRST_MS = 3
const POLL_LONGEST_MS = 200

export interface AgentOptions {
  signal?: AbortSignal
  timeoutMs?: number
}

export interface ExecResult {
  exitCode: number | null
  signal: number | null
  stdout: string
  stderr: string
  truncated: boolean
}

const ExecStatus = z.object({
  exited: z.boolean(),
  exitcode: z.number().optional(),
  signal: z.number().optional(),
  'out-data': z.string().optional(),
  'err-data': z.string().optional(),
  'out-truncated': z.boolean().optional(),
  'err-truncated': z.boolean().optional()
})
const Interfaces = z.array(
  z.object({
    name: z.string(),
    'hardware-address': z.string().optional(),
    'ip-addresses': z.array(z.object({ 'ip-address': z.string(), 'ip-address-type': z.string(), prefix: z.number() })).optional(),
    statistics: z.object({ 'rx-bytes': z.number(), 'tx-bytes': z.number() }).optional()
  })
)
const OsInfo = z.object({ 'pretty-name': z.string().optional(), name: z.string().optional(), 'kernel-release': z.string().optional() })
const FileSystems = z.array(z.object({ mountpoint: z.string(), type: z.string(), 'total-bytes': z.number().optional(), 'used-bytes': z.number().optional() }))

/**
 * The guest agent of one machine (qga/qapi-schema.json). Connected when first needed. One command at a time; each
 * connection begins with guest-sync-delimited, so that what an earlier caller, a reboot or a restarted agent left behind
 * is never taken for an answer.
 */
export class GuestAgent {
  private connection: { socket: Socket; lines: JsonLines; answers: ((message: Record<string, unknown> | Error) => void)[] } | null = null
  private queue: Promise<unknown> = Promise.resolve()

  /** @param name the machine's, for messages */
  constructor(
    private readonly path: string,
    private readonly name: string
  ) {}

  /** @returns how long the answer took, in milliseconds */
  async ping(options: AgentOptions = {}): Promise<number> {
    const started = performance.now()
    await this.command('guest-ping', {}, z.unknown(), options)
    return performance.now() - started
  }

  /** Everything the agent tells about its guest. What an agent does not know is null or empty. */
  async info(options: AgentOptions = {}): Promise<GuestInfo> {
    const { version } = await this.command('guest-info', {}, z.object({ version: z.string() }), options)
    const host = await this.optional('guest-get-host-name', z.object({ 'host-name': z.string() }), options)
    const system = await this.optional('guest-get-osinfo', OsInfo, options)
    const interfaces = await this.optional('guest-network-get-interfaces', Interfaces, options)
    const fileSystems = await this.optional('guest-get-fsinfo', FileSystems, options)
    return {
      hostname: host?.['host-name'] ?? null,
      system: system?.['pretty-name'] ?? system?.name ?? null,
      kernel: system?.['kernel-release'] ?? null,
      agentVersion: version,
      interfaces: (interfaces ?? []).map((nic) => ({
        name: nic.name,
        mac: nic['hardware-address'] ?? null,
        addresses: (nic['ip-addresses'] ?? []).map((address) => `${address['ip-address']}/${address.prefix}`)
      })),
      fileSystems: (fileSystems ?? []).map((fs) => ({
        mountpoint: fs.mountpoint,
        type: fs.type,
        totalBytes: fs['total-bytes'] ?? null,
        usedBytes: fs['used-bytes'] ?? null
      }))
    }
  }

  /** Bytes that all interfaces but the loopback have received and sent. */
  async networkBytes(options: AgentOptions = {}): Promise<{ received: number; sent: number }> {
    const interfaces = await this.command('guest-network-get-interfaces', {}, Interfaces, options)
    const outer = interfaces.filter((nic) => nic.name !== 'lo')
    const sum = (key: 'rx-bytes' | 'tx-bytes'): number => outer.reduce((bytes, nic) => bytes + (nic.statistics?.[key] ?? 0), 0)
    return { received: sum('rx-bytes'), sent: sum('tx-bytes') }
  }

  /**
   * Runs a program in the guest and waits for its end.
   * @param command program and arguments; no shell is involved
   * @throws time-out (the program goes on), no-agent, qmp (the agent could not start it)
   */
  async exec(command: readonly string[], options: { input?: string | undefined; timeoutMs: number; signal?: AbortSignal }): Promise<ExecResult> {
    const [path, ...args] = command
    const started = { path, arg: args, 'capture-output': true, ...(options.input === undefined ? {} : { 'input-data': base64(options.input) }) }
    const signalled = options.signal ? { signal: options.signal } : {}
    const { pid } = await this.command('guest-exec', started, z.object({ pid: z.number() }), signalled)
    const deadlineMs = Date.now() + options.timeoutMs
    for (let pauseMs = POLL_FIRST_MS; ; pauseMs = Math.min(POLL_LONGEST_MS, pauseMs * 1.5)) {
      const status = await this.command('guest-exec-status', { pid }, ExecStatus, signalled)
      if (status.exited) {
        return {
          exitCode: status.exitcode ?? null,
          signal: status.signal ?? null,
          stdout: text(status['out-data']),
          stderr: text(status['err-data']),
          truncated: Boolean(status['out-truncated'] || status['err-truncated'])
        }
      }
      if (options.signal?.aborted) throw cancelled()
      if (Date.now() + pauseMs > deadlineMs) {
        throw failure('time-out', `“${path}” did not end within ${options.timeoutMs / 1000} s in the guest; it goes on there as process ${pid}.`, { waitedMs: options.timeoutMs })
      }
      await delay(pauseMs)
    }
  }

  /** Asks the guest to power off. A success has no answer: the agent is gone then. */
  async shutdown(options: AgentOptions = {}): Promise<void> {
    await this.exclusively(async () => {
      const { socket } = await this.connected(options)
      socket.write(JSON.stringify({ execute: 'guest-shutdown', arguments: { mode: 'powerdown' } }) + '\n')
    })
  }

  close(): void {
    this.connection?.socket.destroy()
    this.connection = null
  }

  private async optional<S extends z.ZodType>(command: string, schema: S, options: AgentOptions): Promise<z.output<S> | null> {
    try {
      return await this.command(command, {}, schema, options)
    } catch (error) {
      // A small agent may lack the command; that it is gone altogether is another matter.
      if (error instanceof Error && 'error' in error && (error as { error: { code?: string } }).error.code === 'qmp') return null
      throw error
    }
  }

  private command<S extends z.ZodType>(command: string, given: object, schema: S, options: AgentOptions): Promise<z.output<S>> {
    return this.exclusively(async () => {
      await this.connected(options)
      const answer = await this.ask({ execute: command, arguments: given }, options.timeoutMs ?? COMMAND_TIMEOUT_MS, options.signal)
      if ('return' in answer) return schema.parse(answer.return)
      const { class: errorClass = 'GenericError', desc = JSON.stringify(answer) } = (answer.error ?? {}) as { class?: string; desc?: string }
      throw failure('qmp', `The guest agent of “${this.name}” refused ${command}.`, { command, errorClass, cause: desc })
    })
  }

  private exclusively<T>(act: () => Promise<T>): Promise<T> {
    const result = this.queue.then(act, act)
    this.queue = result.catch(() => {})
    return result
  }

  private async connected(options: AgentOptions): Promise<{ socket: Socket }> {
    if (this.connection) return this.connection
    const socket = await connectUnix(this.path)
    const connection = { socket, lines: new JsonLines(`the guest agent of “${this.name}”`, { sentinel: true }), answers: [] as ((message: Record<string, unknown> | Error) => void)[] }
    const lost = (error?: Error): void => {
      if (this.connection === connection) this.connection = null
      socket.destroy()
      const reason = error ?? failure('connection-lost', `The guest agent of “${this.name}” is gone.`, { peer: 'guest agent' })
      for (const answer of connection.answers.splice(0)) answer(reason)
    }
    socket.on('error', lost)
    socket.on('close', () => lost())
    socket.on('data', (bytes: Buffer) => {
      try {
        connection.lines.push(bytes, (message) => connection.answers.shift()?.(message))
      } catch (error) {
        lost(error instanceof Error ? error : undefined)
      }
    })
    this.connection = connection
    await this.synchronise(options.signal, Math.min(SYNC_TIMEOUT_MS, options.timeoutMs ?? SYNC_TIMEOUT_MS))
    return connection
  }

  /** Waits for the answer to a number of our own; answers to anything else are from before. */
  private async synchronise(signal: AbortSignal | undefined, timeoutMs: number): Promise<void> {
    const id = randomInt(2 ** 31)
    this.connection?.socket.write(Buffer.of(SENTINEL))
    try {
      await this.ask({ execute: 'guest-sync-delimited', arguments: { id } }, timeoutMs, signal, (answer) => answer.return === id)
    } catch (error) {
      this.close()
      if (signal?.aborted) throw error
      throw failure('no-agent', `The guest agent of “${this.name}” does not answer.`, {
        name: this.name,
        next: 'Wait until the guest has booted; if its system has no QEMU guest agent, install qemu-guest-agent there.',
        cause: error
      })
    }
  }

  /**
   * Sends a message and waits for its answer. A connection whose answer did not come is given up.
   * @param isMeant passes over what it does not take; several answers may come in one piece, so it is asked of each at once
   */
  private ask(
    message: object,
    timeoutMs: number,
    signal?: AbortSignal,
    isMeant: (answer: Record<string, unknown>) => boolean = () => true
  ): Promise<Record<string, unknown>> {
    const connection = this.connection
    if (!connection) return Promise.reject(failure('connection-lost', `The guest agent of “${this.name}” is gone.`, { peer: 'guest agent' }))
    return new Promise((resolve, reject) => {
      const settle = (answer: Record<string, unknown> | Error): void => {
        if (!(answer instanceof Error) && !isMeant(answer)) return void connection.answers.unshift(settle)
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        if (answer instanceof Error) reject(answer)
        else resolve(answer)
      }
      const giveUp = (error: Error): void => {
        connection.answers.splice(connection.answers.indexOf(settle), 1)
        settle(error)
        this.close()
      }
      const timer = setTimeout(() => giveUp(failure('time-out', `The guest agent of “${this.name}” did not answer within ${timeoutMs} ms.`, { waitedMs: timeoutMs })), timeoutMs)
      const abort = (): void => giveUp(cancelled())
      signal?.addEventListener('abort', abort, { once: true })
      connection.answers.push(settle)
      connection.socket.write(JSON.stringify(message) + '\n')
    })
  }
}

const base64 = (value: string): string => Buffer.from(value).toString('base64')
const text = (data: string | undefined): string => (data === undefined ? '' : Buffer.from(data, 'base64').toString())
