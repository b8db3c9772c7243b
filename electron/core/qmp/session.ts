import type { Socket } from 'node:net'
import { z } from 'zod'
import { failure, Failure, type QmpTraffic } from '#contract'
import { connectUnix } from '../host/socket'
import type { Commands, Events } from './commands'
import { encodeLine, JsonLines, type JsonObject } from './framing'
import { Waiter, type WaitOptions } from './wait'

const GREETING_TIMEOUT_MS = 10_000
const COMMAND_TIMEOUT_MS = 30_000

/**
 * `signal` and `timeoutMs` (by default 30 s) end the waiting, not the command: QEMU carries it out all the same, and its
 * late answer is dropped.
 */
export type ExecuteOptions = WaitOptions

export interface SessionOptions extends WaitOptions {
  /** For messages: `QEMU of “lab1”`. */
  peer?: string
}

interface Question {
  command: string
  waiter: Waiter<unknown>
}

const Greeting = z.object({
  QMP: z.object({
    version: z.object({ qemu: z.object({ major: z.number(), minor: z.number(), micro: z.number() }), package: z.string() }),
    capabilities: z.array(z.unknown())
  })
})
const QmpError = z.object({ class: z.string(), desc: z.string() })

type Listener = (data: unknown, atMs: number) => void

/**
 * One QMP connection (docs/interop/qmp-spec).
 *
 *   connect ──> greeting ──its greeting──> open ──close()──────────────────────> closed
 *                  └───────────────────────┴──socket ends, protocol violated──────┘
 *
 * Once closed it stays so, and whoever waits is told why. Answers are matched by id, so any number of callers may wait at
 * once, in whatever order they are answered. Out-of-band execution (`exec-oob`) is not switched on: no command that Strata
 * uses has it, and with it QEMU hands each command to another thread, which costs time.
 */
export class QmpSession {
  private readonly lines: JsonLines
  /** By id, whoever waits for an answer. One who gave up stays until the answer comes, so that it is known for what it is. */
  private readonly questions = new Map<number, Question>()
  private readonly greeting: Waiter<JsonObject>
  private readonly eventWaiters = new Set<{ reject(reason: Failure): void }>()
  private readonly listeners = new Map<string, Set<Listener>>()
  private readonly taps = new Set<(traffic: QmpTraffic) => void>()
  private lastId = 0
  private end: Failure | null = null
  private ended!: (reason: Failure) => void
  /** Fulfilled with the reason once the connection has ended, by whichever side. */
  readonly closed = new Promise<Failure>((resolve) => (this.ended = resolve))
  /** Of the QEMU at the other end, as in `7.2.22`, and what its packager calls it. */
  version = ''
  packageVersion = ''

  private constructor(
    private readonly socket: Socket,
    private readonly peer: string,
    options: WaitOptions
  ) {
    this.lines = new JsonLines(peer)
    // QEMU serves one client a monitor: a second one is let in, and not greeted until the first has gone.
    this.greeting = new Waiter({ timeoutMs: GREETING_TIMEOUT_MS, ...options }, (waitedMs) =>
      failure('time-out', `${peer} did not greet within ${waitedMs} ms.`, { waitedMs, next: 'If another program holds its monitor, end that.' })
    )
    socket.on('data', (bytes: Buffer) => this.receive(bytes))
    socket.on('error', (cause) => this.finish(failure('connection-lost', `The connection to ${peer} broke.`, { peer, cause })))
    socket.on('close', () => this.finish(failure('connection-lost', `${peer} closed the connection.`, { peer })))
    if (socket.destroyed) this.finish(failure('connection-lost', `${peer} closed the connection.`, { peer }))
  }

  /**
   * Connects, reads the greeting and leaves negotiation mode. Events are on from then on: subscribe first, then ask for the
   * state that they change.
   * @throws connection-lost, time-out, protocol, cancelled
   */
  static async connect(path: string, options: SessionOptions = {}): Promise<QmpSession> {
    return QmpSession.over(await connectUnix(path, options), options)
  }

  /** The same over an open socket, which the session then owns. */
  static async over(socket: Socket, { peer = 'QEMU', ...options }: SessionOptions = {}): Promise<QmpSession> {
    const session = new QmpSession(socket, peer, options)
    try {
      session.readGreeting(await session.greeting.promise)
      await session.execute('qmp_capabilities', {}, options)
      return session
    } catch (error) {
      session.close()
      throw error
    }
  }

  /**
   * Runs a command and answers its return value.
   * @throws qmp (QEMU refused; class and words in it), bad-input, connection-lost, protocol, time-out, cancelled
   */
  execute<C extends keyof Commands>(command: C, ...rest: ExecuteArguments<C>): Promise<Commands[C]['returns']> {
    return this.executeAny(command, rest[0], rest[1])
  }

  /** As `execute`, for a command that is not known beforehand. Check what it returns. */
  executeAny(command: string, given: object = {}, options: ExecuteOptions = {}): Promise<unknown> {
    const waiter = new Waiter<unknown>({ timeoutMs: COMMAND_TIMEOUT_MS, ...options }, (waitedMs) =>
      failure('time-out', `${this.peer} did not answer ${command} within ${waitedMs} ms.`, { waitedMs })
    )
    if (this.end) waiter.reject(this.end)
    if (!waiter.isSettled) this.ask(command, given, waiter)
    return waiter.promise
  }

  private ask(command: string, given: object, waiter: Waiter<unknown>): void {
    const id = this.freeId()
    // QEMU reads its monitor byte by byte, about 2 us each: what may be left out is left out.
    const message = { execute: command, ...(hasKeys(given) ? { arguments: given } : {}), id }
    try {
      this.socket.write(encodeLine(message))
    } catch (error) {
      return waiter.reject(error)
    }
    this.questions.set(id, { command, waiter })
    if (this.taps.size > 0) this.tap('sent', message)
  }

  /** Of one digit as long as fewer than ten questions are open. In turn, so that an answer sent twice meets no new question. */
  private freeId(): number {
    this.lastId = (this.lastId % 9) + 1
    let id = this.lastId
    while (this.questions.has(id)) id++
    return id
  }

  /**
   * Calls back at every event of this name, or with `*` at every event, with the whole message.
   * @param listener gets the event's data, and when QEMU sent it by the host's clock
   * @returns ends it
   */
  onEvent<E extends keyof Events>(name: E, listener: (data: Events[E], atMs: number) => void): () => void
  onEvent(name: string, listener: Listener): () => void
  onEvent(name: string, listener: Listener): () => void {
    const own: Listener = (data, atMs) => listener(data, atMs) // so that one listener may be given twice, and ended once
    const listeners = this.listeners.get(name) ?? new Set()
    this.listeners.set(name, listeners.add(own))
    return () => void listeners.delete(own)
  }

  /**
   * The next event of this name that fits. Listening begins at the call: call it, then send the command, then await it.
   * @param options as of a command; by default it waits 30 s
   * @throws connection-lost, protocol, time-out, cancelled
   */
  waitForEvent<E extends keyof Events>(name: E, fits: (data: Events[E]) => boolean = () => true, options: WaitOptions = {}): Promise<Events[E]> {
    const waiter: Waiter<Events[E]> = new Waiter({ timeoutMs: COMMAND_TIMEOUT_MS, ...options }, (waitedMs) =>
      failure('time-out', `${this.peer} did not send ${name} within ${waitedMs} ms.`, { waitedMs })
    )
    const unsubscribe = this.onEvent(name, (data) => {
      try {
        if (fits(data)) waiter.resolve(data)
      } catch (error) {
        waiter.reject(error)
      }
    })
    this.eventWaiters.add(waiter)
    if (this.end) waiter.reject(this.end)
    const release = (): void => {
      unsubscribe()
      this.eventWaiters.delete(waiter)
    }
    waiter.promise.then(release, release) // also handles a failure that comes before the caller awaits it
    return waiter.promise
  }

  /** Sees every message both ways. Costs nothing while nobody listens. @returns ends it */
  onTraffic(listener: (traffic: QmpTraffic) => void): () => void {
    const own: typeof listener = (traffic) => listener(traffic)
    this.taps.add(own)
    return () => void this.taps.delete(own)
  }

  /** Ends the connection; QEMU goes on. Whoever still waits is told. */
  close(): void {
    this.finish(failure('connection-lost', `The connection to ${this.peer} was closed.`, { peer: this.peer }))
  }

  private receive(bytes: Buffer): void {
    try {
      this.lines.push(bytes, (message) => {
        if (this.end) return // what follows a violation, or close(), is of no interest
        if (this.taps.size > 0) this.tap('received', message)
        this.dispatch(message)
      })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      this.finish(error)
    }
  }

  private dispatch(message: JsonObject): void {
    if (!this.greeting.isSettled) return this.greeting.resolve(message)
    if (typeof message.event === 'string') return this.emit(message.event, message)
    if (typeof message.id === 'number') return this.answer(message.id, message)
    // QEMU tells so what it could not parse. When there was one question alone, that is what it is about.
    const [id, ...others] = this.questions.keys()
    if ('error' in message && id !== undefined && others.length === 0) return this.answer(id, message)
    throw this.violation('sent what answers no command', message)
  }

  private answer(id: number, message: JsonObject): void {
    const question = this.questions.get(id)
    if (!question) return // "Clients should drop all the responses that have an unknown id" (2.4)
    this.questions.delete(id)
    if ('return' in message) return question.waiter.resolve(message.return)
    const parsed = QmpError.safeParse(message.error)
    if (!parsed.success) {
      const error = this.violation(`answered ${question.command} neither with a value nor with an error`, message)
      question.waiter.reject(error)
      throw error
    }
    const { class: errorClass, desc } = parsed.data
    question.waiter.reject(failure('qmp', `${this.peer} refused ${question.command}.`, { command: question.command, errorClass, cause: desc }))
  }

  private emit(name: string, message: JsonObject): void {
    const { seconds = 0, microseconds = 0 } = (message.timestamp ?? {}) as { seconds?: number; microseconds?: number }
    const atMs = seconds * 1000 + microseconds / 1000
    for (const listener of [...(this.listeners.get(name) ?? [])]) callApart(() => listener(message.data ?? {}, atMs))
    for (const listener of [...(this.listeners.get('*') ?? [])]) callApart(() => listener(message, atMs))
  }

  private tap(direction: QmpTraffic['direction'], message: unknown): void {
    for (const listener of [...this.taps]) callApart(() => listener({ atMs: Date.now(), direction, message }))
  }

  private readGreeting(message: JsonObject): void {
    const parsed = Greeting.safeParse(message)
    if (!parsed.success) throw this.violation('did not greet as QMP does', message)
    const { qemu, package: packageVersion } = parsed.data.QMP.version
    this.version = `${qemu.major}.${qemu.minor}.${qemu.micro}`
    this.packageVersion = packageVersion
  }

  private violation(did: string, message: JsonObject): Failure {
    return failure('protocol', `${this.peer} ${did}.`, { peer: this.peer, cause: JSON.stringify(message).slice(0, 200) })
  }

  private finish(reason: Failure): void {
    if (this.end) return
    this.end = reason
    this.socket.destroy()
    this.greeting.reject(reason)
    for (const { waiter } of this.questions.values()) waiter.reject(reason)
    this.questions.clear()
    for (const waiter of [...this.eventWaiters]) waiter.reject(reason)
    this.ended(reason)
  }
}

/** Arguments may be left out where a command takes none, or only optional ones. */
type ExecuteArguments<C extends keyof Commands> = Record<never, never> extends Commands[C]['arguments']
  ? [given?: Commands[C]['arguments'], options?: ExecuteOptions]
  : [given: Commands[C]['arguments'], options?: ExecuteOptions]

/** A listener that throws has a bug, which must show, and must not keep the other listeners from their message. */
function callApart(call: () => void): void {
  try {
    call()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

function hasKeys(given: object): boolean {
  for (const _key in given) return true
  return false
}
