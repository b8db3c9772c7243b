import type { Socket } from 'node:net'
import { z } from 'zod'
import { failure, Failure, type QmpTraffic } from '#contract'
import { cancelled } from '../task/work'
import { connectUnix } from '../host/socket'
import type { Commands, Events } from './commands'
import { encodeLine, JsonLines } from './framing'

const GREETING_TIMEOUT_MS = 10_000
const COMMAND_TIMEOUT_MS = 30_000

export interface ExecuteOptions {
  /** Stops waiting. QEMU carries the command out all the same; its late answer is dropped. */
  signal?: AbortSignal
  /** By default 30 s. */
  timeoutMs?: number
}

interface Waiting {
  command: string
  resolve(value: unknown): void
  reject(error: Error): void
}

const Greeting = z.object({
  QMP: z.object({ version: z.object({ qemu: z.object({ major: z.number(), minor: z.number(), micro: z.number() }), package: z.string() }) })
})
const ErrorAnswer = z.object({ class: z.string(), desc: z.string() })

type Listener = (data: unknown, atMs: number) => void

/**
 * One QMP connection (docs/interop/qmp-spec.txt).
 *
 *   connect ──greeting──> negotiating ──qmp_capabilities──> ready ──socket ends, garbage, close()──> closed
 *
 * Once closed it stays so, and whoever waits is told why. Answers are matched by id, so any number of callers may wait at once.
 */
export class QmpSession {
  private readonly lines: JsonLines
  private readonly waiting = new Map<number, Waiting>()
  private readonly listeners = new Map<string, Set<Listener>>()
  private readonly taps = new Set<(traffic: QmpTraffic) => void>()
  private nextId = 1
  private end: Failure | null = null
  private greeted!: (greeting: unknown) => void
  private ended!: (reason: Failure) => void
  /** Fulfilled with the reason once the connection has ended. */
  readonly closed = new Promise<Failure>((resolve) => (this.ended = resolve))
  /** Of the QEMU at the other end, as in `7.2.22`. */
  version = ''

  private constructor(
    private readonly socket: Socket,
    private readonly peer: string
  ) {
    this.lines = new JsonLines(peer)
    socket.on('data', (bytes: Buffer) => this.receive(bytes))
    socket.on('error', (error) => this.finish(failure('connection-lost', `The connection to ${peer} broke.`, { peer, cause: error })))
    socket.on('close', () => this.finish(failure('connection-lost', `${peer} closed the connection.`, { peer })))
  }

  /**
   * Connects, reads the greeting and leaves negotiation mode.
   * @param peer for messages: `QEMU of lab1`
   * @throws connection-lost, time-out, protocol, cancelled
   */
  static async connect(path: string, options: ExecuteOptions & { peer?: string } = {}): Promise<QmpSession> {
    return QmpSession.over(await connectUnix(path), options)
  }

  /** The same over an open socket, which the session then owns. */
  static async over(socket: Socket, options: ExecuteOptions & { peer?: string } = {}): Promise<QmpSession> {
    const session = new QmpSession(socket, options.peer ?? 'QEMU')
    try {
      const greeting = new Promise<unknown>((resolve) => (session.greeted = resolve))
      const answered = await session.settle(greeting, 'the greeting', { timeoutMs: GREETING_TIMEOUT_MS, ...options })
      session.version = versionOf(answered, session.peer)
      await session.execute('qmp_capabilities', {}, options)
      return session
    } catch (error) {
      session.close()
      throw error
    }
  }

  /**
   * Runs a command and answers its return value.
   * @throws qmp (QEMU refused; class and words in it), connection-lost, protocol, time-out, cancelled
   */
  async execute<C extends keyof Commands>(command: C, ...rest: ExecuteArguments<C>): Promise<Commands[C]['returns']> {
    const [given, options] = rest
    return (await this.executeAny(command, given ?? {}, options)) as Commands[C]['returns']
  }

  /** As `execute`, for a command that is not known beforehand. */
  executeAny(command: string, given: object, options: ExecuteOptions = {}): Promise<unknown> {
    if (this.end) return Promise.reject(this.end)
    if (options.signal?.aborted) return Promise.reject(cancelled())
    const id = this.nextId++
    const answer = new Promise<unknown>((resolve, reject) => this.waiting.set(id, { command, resolve, reject }))
    const message = { execute: command, arguments: given, id }
    this.socket.write(encodeLine(message))
    if (this.taps.size > 0) this.tap('sent', message)
    return this.settle(answer, command, options).finally(() => this.waiting.delete(id))
  }

  /** Calls back at every event of this name, `*` for all. Answers the function that ends it. */
  onEvent<E extends keyof Events>(name: E, listener: (data: Events[E], atMs: number) => void): () => void
  onEvent(name: string, listener: Listener): () => void
  onEvent(name: string, listener: Listener): () => void {
    const listeners = this.listeners.get(name) ?? new Set()
    this.listeners.set(name, listeners.add(listener))
    return () => void listeners.delete(listener)
  }

  /**
   * The next event of this name that fits. Listening begins at the call: call it, then send the command, then await it.
   * @throws connection-lost, time-out, cancelled
   */
  waitForEvent<E extends keyof Events>(name: E, fits: (data: Events[E]) => boolean = () => true, options: ExecuteOptions = {}): Promise<Events[E]> {
    let unsubscribe = (): void => {}
    const happened = new Promise<Events[E]>((resolve) => {
      unsubscribe = this.onEvent(name, (data) => {
        if (fits(data)) resolve(data)
      })
    })
    const settled = this.settle(happened, name, options).finally(unsubscribe)
    settled.catch(() => {}) // it may fail before the caller awaits it
    return settled
  }

  /** Sees every message both ways. Costs nothing while nobody listens. */
  onTraffic(listener: (traffic: QmpTraffic) => void): () => void {
    this.taps.add(listener)
    return () => void this.taps.delete(listener)
  }

  close(): void {
    this.finish(failure('connection-lost', `The connection to ${this.peer} was closed.`, { peer: this.peer }))
  }

  /** A promise bounded by time, cancellation and the end of the connection. */
  private settle<T>(promise: Promise<T>, what: string, { signal, timeoutMs = COMMAND_TIMEOUT_MS }: ExecuteOptions): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => reject(failure('time-out', `${this.peer} did not answer within ${timeoutMs} ms (${what}).`, { waitedMs: timeoutMs })), timeoutMs)
      const abort = (): void => reject(cancelled())
      signal?.addEventListener('abort', abort, { once: true })
      this.onEnd.add(reject)
      const release = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        this.onEnd.delete(reject)
      }
      promise.then(resolve, reject)
      if (this.end) reject(this.end)
      void promise.then(release, release)
      void this.closed.then(release)
    })
  }
  private readonly onEnd = new Set<(reason: Failure) => void>()

  private receive(bytes: Buffer): void {
    if (this.end) return
    try {
      this.lines.push(bytes, (message) => {
        if (this.taps.size > 0) this.tap('received', message)
        this.dispatch(message)
      })
    } catch (error) {
      this.finish(error instanceof Failure ? error : failure('protocol', `${this.peer} sent what cannot be understood.`, { peer: this.peer, cause: error }))
    }
  }

  private dispatch(message: Record<string, unknown>): void {
    if (typeof message.event === 'string') return this.emit(message.event, message)
    if ('QMP' in message) return this.greeted(message)
    const waiting = typeof message.id === 'number' ? this.waiting.get(message.id) : undefined
    if (!waiting) return // the late answer to a command that nobody waits for any more
    if ('return' in message) return waiting.resolve(message.return)
    const refused = ErrorAnswer.safeParse(message.error)
    const { class: errorClass, desc } = refused.success ? refused.data : { class: 'GenericError', desc: JSON.stringify(message) }
    waiting.reject(failure('qmp', `QEMU refused ${waiting.command}.`, { command: waiting.command, errorClass, cause: desc }))
  }

  private emit(name: string, message: Record<string, unknown>): void {
    const { seconds = 0, microseconds = 0 } = (message.timestamp ?? {}) as { seconds?: number; microseconds?: number }
    const atMs = seconds * 1000 + microseconds / 1000
    for (const listener of [...(this.listeners.get(name) ?? [])]) listener(message.data ?? {}, atMs)
    for (const listener of [...(this.listeners.get('*') ?? [])]) listener(message, atMs)
  }

  private tap(direction: QmpTraffic['direction'], message: unknown): void {
    for (const listener of this.taps) listener({ atMs: Date.now(), direction, message })
  }

  private finish(reason: Failure): void {
    if (this.end) return
    this.end = reason
    this.socket.destroy()
    for (const reject of [...this.onEnd]) reject(reason)
    this.onEnd.clear()
    this.waiting.clear()
    this.ended(reason)
  }
}

/** Arguments may be left out where a command takes none, or only optional ones. */
type ExecuteArguments<C extends keyof Commands> = object extends Commands[C]['arguments']
  ? [given?: Commands[C]['arguments'], options?: ExecuteOptions]
  : [given: Commands[C]['arguments'], options?: ExecuteOptions]

function versionOf(greeting: unknown, peer: string): string {
  const parsed = Greeting.safeParse(greeting)
  if (!parsed.success) throw failure('protocol', `${peer} did not greet as QMP does.`, { peer, cause: parsed.error })
  const { major, minor, micro } = parsed.data.QMP.version.qemu
  return `${major}.${minor}.${micro}`
}
