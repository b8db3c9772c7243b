import { randomInt } from 'node:crypto'
import type { Socket } from 'node:net'
import { failure, Failure } from '#contract'
import { connectUnix } from '../host/socket'
import { encodeLine, JsonLines, SENTINEL, type JsonObject } from './framing'
import { Waiter, type WaitOptions } from './wait'

const COMMAND_TIMEOUT_MS = 10_000
/** An agent that is there answers within milliseconds; in a guest without processor time, within a second or two. */
const SYNC_TIMEOUT_MS = 3_000
/** Pauses between attempts to reach an agent that nobody announces. An attempt lies in the port until an agent reads it. */
const RETRY_FIRST_MS = 1_000
const RETRY_LONGEST_MS = 5_000
/** More than this unread by the guest, and the attempts so far are thrown away with the connection. */
const UNREAD_LIMIT_BYTES = 4096

/**
 * Tells when a program in the guest opens or closes the agent's port, and if it can, first how the port is now. QEMU's event
 * VSERPORT_CHANGE says so. @returns ends it
 */
export type PortWatch = (listener: (open: boolean) => void) => () => void

interface Connection {
  readonly socket: Socket
  readonly lines: JsonLines
  /** What comes next answers what is sent next. */
  synchronised: boolean
  waiting: { waiter: Waiter<JsonObject>; isMeant: (message: JsonObject) => boolean } | null
}

/**
 * The line to the guest agent of one machine (docs/interop/qemu-ga). It is a serial port: whoever opens it, agent or host,
 * meets what others left in it, and an agent that went away says nothing. So
 *
 *   closed ──connect──> open ──guest-sync-delimited answered──> synchronised ──command──> synchronised
 *     ^                  ^ └──── no answer: no-agent ────┐            │
 *     └── socket ends ───┴───────────────────────────────┴── answer did not come, port closed
 *
 * and one command goes at a time, in the order of the calls. The connection is kept while it can be: an agent that finds
 * nobody at the other end looks again only every 100 ms.
 */
export class AgentLink {
  private connection: Connection | null = null
  private queue: Promise<void> = Promise.resolve()
  /** Null while nobody has told. */
  private portOpen: boolean | null = null
  private readonly portListeners = new Set<() => void>()
  private readonly unwatch: () => void

  /** @param machine its name, for messages */
  constructor(
    private readonly path: string,
    private readonly machine: string,
    watchPort?: PortWatch
  ) {
    this.unwatch = watchPort?.((open) => this.notePort(open)) ?? (() => {})
  }

  /** Lets go of the socket. A later command connects anew. */
  disconnect(): void {
    if (this.connection) this.drop(this.connection, this.gone())
  }

  /** Lets go for good. */
  close(): void {
    this.unwatch()
    this.disconnect()
  }

  /**
   * Runs a command and answers its return value, which the guest made: check it.
   * @throws no-agent, qmp (the agent refused), connection-lost (it went away meanwhile), protocol, bad-input, time-out, cancelled
   */
  async run(command: string, given: object = {}, options: WaitOptions = {}): Promise<unknown> {
    const answer = await this.inTurn(options, command, (signal) => this.exchange(encodeLine({ execute: command, arguments: given }), { signal }))
    if ('error' in answer) throw this.refusal(command, answer)
    return answer.return
  }

  /**
   * Runs a command that is answered only when it fails. It is known to have been taken when the agent answers the next
   * one, or goes away.
   * @throws as `run`; time-out when neither came
   */
  async runUnanswered(command: string, given: object, options: WaitOptions = {}): Promise<void> {
    const both = encodeLine({ execute: command, arguments: given }) + encodeLine({ execute: 'guest-ping' })
    let sent = false
    try {
      const answer = await this.inTurn(options, command, (signal) => {
        sent = true
        return this.exchange(both, { signal })
      })
      if ('return' in answer) return
      if (this.connection) this.unsynchronise(this.connection) // the answer to the ping is still to come
      throw this.refusal(command, answer)
    } catch (error) {
      if (!(sent && isLost(error))) throw error
    }
  }

  /**
   * Waits until the agent answers; an agent that starts is noticed at once, as it finds our question in the port.
   * @param options waits without end unless told otherwise
   * @throws time-out, cancelled, connection-lost (QEMU has ended)
   */
  async waitUntilReady({ signal, timeoutMs }: WaitOptions = {}): Promise<void> {
    const over = new AbortController()
    const waiter = new Waiter<void>({ signal, timeoutMs }, (waitedMs) => this.tooLate('the first question', waitedMs), () => over.abort())
    void this.untilReady(over.signal).then(
      () => waiter.resolve(),
      (error: unknown) => waiter.reject(error)
    )
    return waiter.promise
  }

  private async untilReady(signal: AbortSignal): Promise<void> {
    for (let pauseMs = RETRY_FIRST_MS; !signal.aborted; pauseMs = Math.min(RETRY_LONGEST_MS, pauseMs * 2)) {
      const changed = this.portChange(signal)
      try {
        if (this.portOpen === false) await Promise.all([this.connected(signal), changed.happened])
        else return await this.exclusively(() => this.synchronise(AbortSignal.any([signal, changed.signal]), pauseMs))
      } catch (error) {
        if (!isNoAgent(error) && !changed.signal.aborted) throw error
      } finally {
        changed.release()
      }
    }
  }

  /** The next change of the port, as a promise and as a signal. */
  private portChange(signal: AbortSignal): { happened: Promise<void>; signal: AbortSignal; release: () => void } {
    const controller = new AbortController()
    const note = (): void => controller.abort()
    const happened = new Promise<void>((resolve) => controller.signal.addEventListener('abort', () => resolve(), { once: true }))
    this.portListeners.add(note)
    signal.addEventListener('abort', note, { once: true })
    const release = (): void => {
      this.portListeners.delete(note)
      signal.removeEventListener('abort', note)
    }
    return { happened, signal: controller.signal, release }
  }

  /** Acts when all earlier callers are done, on a synchronised connection. Bounded as a whole, the waiting for its turn too. */
  private inTurn(options: WaitOptions, command: string, act: (signal: AbortSignal) => Promise<JsonObject>): Promise<JsonObject> {
    const over = new AbortController()
    let asked = false
    const waiter = new Waiter<JsonObject>(
      { timeoutMs: COMMAND_TIMEOUT_MS, ...options },
      (waitedMs) => (asked || this.connection?.synchronised ? this.tooLate(command, waitedMs) : this.noAgent(`no answer within ${waitedMs} ms`)),
      () => over.abort()
    )
    void this.exclusively(async () => {
      if (waiter.isSettled) return
      try {
        if (this.portOpen === false) throw this.noAgent('nothing in the guest has opened its port')
        await this.synchronise(over.signal, SYNC_TIMEOUT_MS)
        asked = true
        waiter.resolve(await act(over.signal))
      } catch (error) {
        waiter.reject(error)
      }
    })
    return waiter.promise
  }

  private exclusively(act: () => Promise<void>): Promise<void> {
    const result = this.queue.then(act)
    this.queue = result.catch(() => {}) // told to the caller; the next one starts afresh
    return result
  }

  private async connected(signal: AbortSignal): Promise<Connection> {
    if (this.connection && !this.connection.synchronised && this.connection.socket.writableLength > UNREAD_LIMIT_BYTES) this.disconnect()
    if (this.connection) return this.connection
    const socket = await connectUnix(this.path, { signal })
    if (this.connection) {
      socket.destroy() // another caller was quicker
      return this.connection
    }
    const lines = new JsonLines(`The guest agent of “${this.machine}”`, { sentinel: true })
    const connection: Connection = { socket, lines, synchronised: false, waiting: null }
    this.connection = connection
    lines.skipToSentinel()
    socket.on('data', (bytes: Buffer) => this.receive(connection, bytes))
    socket.on('close', () => this.drop(connection, this.gone()))
    return connection
  }

  private receive(connection: Connection, bytes: Buffer): void {
    try {
      connection.lines.push(bytes, (message) => {
        const { waiting } = connection
        if (waiting?.isMeant(message)) waiting.waiter.resolve(message)
        else this.unsynchronise(connection)
      })
    } catch (error) {
      this.drop(connection, error)
    }
  }

  /** Forgets what it was told so far, and what comes until the answer to the next guest-sync-delimited. */
  private unsynchronise(connection: Connection): void {
    connection.synchronised = false
    connection.lines.skipToSentinel()
  }

  private drop(connection: Connection, reason: unknown): void {
    if (this.connection === connection) this.connection = null
    connection.socket.destroy()
    connection.waiting?.waiter.reject(reason)
  }

  /** Makes sure that the next answer is to our next question. @throws no-agent when nobody answers */
  private async synchronise(signal: AbortSignal, timeoutMs: number): Promise<void> {
    const connection = await this.connected(signal)
    // More than once if something follows the answer in the same piece: it belongs to somebody else's question.
    while (!connection.synchronised) {
      const id = randomInt(1, 2 ** 31)
      const isMeant = (message: JsonObject): boolean => (connection.synchronised = message.return === id)
      // The sentinel makes the agent forget what it was sent in part.
      const question = Buffer.concat([Buffer.of(SENTINEL), Buffer.from(encodeLine({ execute: 'guest-sync-delimited', arguments: { id } }))])
      await this.exchange(question, { signal, timeoutMs }, isMeant, () => this.noAgent(`no answer within ${timeoutMs} ms`)).catch((error: unknown) => {
        // Nothing was asked of it yet, so nothing is lost: it is not there, or not any more.
        throw isLost(error) && this.portOpen === false ? this.noAgent('it closed its port') : error
      })
    }
  }

  /** Sends, and waits for the message that is meant. When it does not come, all that comes later is of no use. */
  private async exchange(
    bytes: string | Buffer,
    options: WaitOptions,
    isMeant: (message: JsonObject) => boolean = () => true,
    tooLate: (waitedMs: number) => Failure = () => this.gone()
  ): Promise<JsonObject> {
    const connection = this.connection
    if (!connection) throw this.gone()
    const waiter = new Waiter<JsonObject>(options, tooLate, () => (connection.waiting = null))
    if (!waiter.isSettled) {
      connection.waiting = { waiter, isMeant }
      connection.socket.write(bytes)
    }
    try {
      return await waiter.promise
    } catch (error) {
      this.unsynchronise(connection)
      throw error
    }
  }

  private notePort(open: boolean): void {
    if (this.portOpen === open) return
    this.portOpen = open
    if (!open && this.connection) {
      this.unsynchronise(this.connection)
      this.connection.waiting?.waiter.reject(this.gone())
    }
    for (const note of [...this.portListeners]) note()
  }

  private gone(): Failure {
    return failure('connection-lost', `The guest agent of “${this.machine}” is gone.`, { peer: 'guest agent' })
  }

  private tooLate(what: string, waitedMs: number): Failure {
    return failure('time-out', `The guest agent of “${this.machine}” did not answer ${what} within ${waitedMs} ms.`, { waitedMs })
  }

  private noAgent(cause: string): Failure {
    return failure('no-agent', `The guest agent of “${this.machine}” does not answer.`, {
      name: this.machine,
      next: 'Wait until the guest has booted; if its system has no QEMU guest agent, install qemu-guest-agent there.',
      cause
    })
  }

  private refusal(command: string, answer: JsonObject): Failure {
    const { class: errorClass, desc } = (answer.error ?? {}) as { class?: unknown; desc?: unknown }
    return failure('qmp', `The guest agent of “${this.machine}” refused ${command}.`, {
      command,
      errorClass: typeof errorClass === 'string' ? errorClass : 'GenericError',
      cause: typeof desc === 'string' ? desc : JSON.stringify(answer).slice(0, 200)
    })
  }
}

const codeOf = (error: unknown): string | null => (error instanceof Failure ? error.error.code : null)
const isLost = (error: unknown): boolean => codeOf(error) === 'connection-lost'
const isNoAgent = (error: unknown): boolean => codeOf(error) === 'no-agent'
