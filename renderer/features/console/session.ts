import { SearchAddon } from '@xterm/addon-search'
import { createStore, type StoreApi } from 'zustand'
import type { AppError, Machine } from '#contract'
import { call, openStream, type ByteChannel } from '../../app'
import { keepLatest } from './kept'
import { muteReplies } from './replay'
import { createSerialInput, type SerialInput } from './serial-input'
import { createTerminal, type TerminalView } from './terminal'

/** What is shown around the terminal. */
export interface ConsoleView {
  connection: 'closed' | 'connecting' | 'live' | 'past'
  error: AppError | null
  /** A paste under way. */
  pasting: { bytes: number; totalBytes: number } | null
  /** Whether anything was printed at all. Null until it is known. */
  empty: boolean | null
}

/** Coming back to a console that printed more than this meanwhile, one sees the end of it; the log has the rest. */
export const CATCH_UP_BYTES = 4 * 2 ** 20
const SCROLLBACK_LINES = 20_000
const RETRY_MS = 1000
const PASTED_FROM = 64

/**
 * One machine's serial console: a terminal, and where it stands in the console's log. Shown, it reads on from there; hidden, it keeps
 * its lines and reads nothing, so a console that nobody looks at costs nothing however much the guest prints.
 */
export class ConsoleSession {
  readonly view: TerminalView
  readonly search = new SearchAddon({ highlightLimit: 2000 })
  readonly input: SerialInput
  readonly store: StoreApi<ConsoleView>
  private channel: ByteChannel | null = null
  /** Bytes of the log that were received, and that the terminal has parsed. */
  private received = 0
  private parsed = 0
  /** Up to here the log was there before we came. */
  private replayUntil = 0
  /** Which QEMU process this is the console of. */
  private run: number | null = null
  /** Goes up with every attempt to connect: what belongs to an earlier one is dropped. */
  private attempt = 0
  private retry: ReturnType<typeof setTimeout> | null = null
  private shown = false

  constructor(private readonly machineId: string) {
    this.store = createStore<ConsoleView>(() => ({ connection: 'closed', error: null, pasting: null, empty: null }))
    this.view = createTerminal({ scrollback: SCROLLBACK_LINES, ignoreBracketedPasteMode: true })
    const { terminal } = this.view
    terminal.loadAddon(this.search)
    muteReplies(terminal, () => this.parsed < this.replayUntil)
    this.input = createSerialInput(
      (bytes) => this.channel?.send(bytes) ?? Promise.resolve(),
      (pasting) => this.store.setState({ pasting })
    )
    // No key sends so much: it was pasted, with the middle button or by the desktop.
    terminal.onData((text) => (text.length > PASTED_FROM ? this.input.paste(text) : this.input.type(text)))
    terminal.onBinary((text) => this.input.type(text))
  }

  /** Shows the console in `host` and reads on. Answers the function that hides it. */
  show(host: HTMLElement): () => void {
    const unmount = this.view.mount(host)
    this.shown = true
    void this.connect()
    return () => {
      this.shown = false
      this.disconnect()
      this.store.setState({ connection: 'closed' })
      unmount()
    }
  }

  /** Tells the session what state the machine is in: another QEMU process has another console. */
  follow(state: Machine['state']): void {
    const run = 'pid' in state ? state.pid : null
    if (run === this.run) return
    const restarted = run !== null && this.run !== null
    const started = run !== null && this.received > 0
    this.run = run
    // The end of a process ends its stream by itself, after its last words.
    if (run === null) return
    if (restarted || started) this.forget()
    if (this.shown) void this.connect()
  }

  /** The terminal forgets its lines above the cursor's; the log keeps them. */
  clear(): void {
    this.view.terminal.clear()
  }

  dispose(): void {
    this.disconnect()
    this.view.dispose()
  }

  private forget(): void {
    this.disconnect()
    this.view.terminal.reset()
    this.received = this.parsed = this.replayUntil = 0
    this.store.setState({ empty: null })
  }

  private disconnect(): void {
    this.attempt++
    if (this.retry) clearTimeout(this.retry)
    this.retry = null
    this.input.cancel()
    this.channel?.close()
    this.channel = null
  }

  private async connect(): Promise<void> {
    this.disconnect()
    const attempt = this.attempt
    const current = (): boolean => attempt === this.attempt
    this.store.setState({ connection: 'connecting' })
    const log = await call('console.log', { machine: this.machineId, tailBytes: 1 })
    if (!current()) return
    if (!log.ok) return this.fail(log.error)
    const skipped = this.skipTo(log.value.totalBytes)
    const opened = await openStream('console', { machine: this.machineId, fromByte: this.received })
    if (!current()) return opened.ok ? opened.value.close() : undefined
    if (!opened.ok) return this.fail(opened.error)
    this.channel = opened.value
    this.store.setState({ connection: this.run === null ? 'past' : 'live', error: null, empty: log.value.totalBytes === 0 })
    opened.value.onEnd((error) => this.ended(error))
    this.read(opened.value, skipped)
  }

  /** Far behind, the terminal starts anew near the end. Answers whether it did. */
  private skipTo(totalBytes: number): boolean {
    // A log that is shorter than what was read is the log of a later start.
    if (totalBytes < this.received) this.forget()
    this.replayUntil = totalBytes
    if (totalBytes - this.received <= CATCH_UP_BYTES) return false
    const { terminal } = this.view
    terminal.reset()
    terminal.write('\x1b[2m… earlier output is not shown here; “Save log” has it.\x1b[22m\r\n')
    this.received = this.parsed = totalBytes - CATCH_UP_BYTES
    return true
  }

  private read(channel: ByteChannel, skipped: boolean): void {
    let midLine = skipped
    channel.onData((data, used) => {
      this.received += data.byteLength
      if (this.store.getState().empty) this.store.setState({ empty: false })
      let text = data
      if (midLine) {
        // It begins somewhere: at the next line, not in the middle of an escape sequence.
        const line = data.indexOf(0x0a)
        text = line < 0 ? data.subarray(data.byteLength) : data.subarray(line + 1)
        midLine = line < 0
      }
      this.write(text, this.received, used)
    })
  }

  /** Writes to the terminal, in two parts where the replayed log ends and live output begins. `end` is the text's end in the log. */
  private write(text: Uint8Array, end: number, used: () => void): void {
    const { terminal } = this.view
    const replayed = Math.max(0, Math.min(text.byteLength, text.byteLength - (end - this.replayUntil)))
    if (replayed > 0) {
      terminal.write(text.subarray(0, replayed), () => (this.parsed = end - text.byteLength + replayed))
    }
    terminal.write(text.subarray(replayed), () => {
      this.parsed = Math.max(this.parsed, end)
      used()
    })
  }

  private ended(error: string | null): void {
    this.channel = null
    if (error === null) return void this.store.setState({ connection: 'past' })
    this.fail({ code: 'connection-lost', peer: 'console', message: error, causes: [] })
  }

  /** What may mend itself (the owner of the library ended, QEMU is still starting) is tried again while it is looked at. */
  private fail(error: AppError): void {
    this.store.setState({ connection: 'closed', error })
    if (this.shown && this.run !== null) this.retry = setTimeout(() => void this.connect(), RETRY_MS)
  }
}

/** The consoles that were looked at last keep their lines, their place and their search. The others are read again from the log. */
export const sessionOf = keepLatest(4, (machineId) => new ConsoleSession(machineId))
