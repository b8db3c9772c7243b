import type { Duplex } from 'node:stream'
import type { AppError, Machine, Result, ResultOf } from '#contract'
import { shellQuote } from './output/text'
import { showError } from './run'
import { onEndRequest } from './signals'
import type { Run } from './tasks'

/** Ctrl+] */
const LEAVE = 0x1d
/** How much of the past `--log` prints. */
const LOG_BYTES = 65_536
/** What a program in the guest may have left switched on: attributes, hidden cursor, other screen, mouse, bracketed paste. */
const TIDY = '\x1b[0m\x1b[?25h\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l'

/**
 * The serial console of a machine on this terminal, until Ctrl+] or the machine's end. Without a terminal it is a pipe: what
 * comes in is typed, what the machine prints goes out; the end of the input does not end it.
 */
export async function runConsole(run: Run): Promise<number> {
  const begin = await beginning(run)
  if (!begin.ok) return showError(run, begin.error)
  const keyboard = new Keyboard(process.stdin)
  const releaseSignals = onEndRequest((code) => keyboard.leave(code))
  try {
    const ended = await follow(run, begin.value.fromByte, keyboard, () => run.terminal.error(`Console of ${begin.value.name}. Ctrl+] leaves.\r\n`))
    keyboard.restore()
    if (!ended.ok) return showError(run, ended.error)
    if (typeof ended.value !== 'number') run.terminal.error(`${begin.value.name} is ${ended.value.kind}.\n`)
    else if (keyboard.isTerminal && ended.value === 0) run.terminal.error(`\r\nLeft the console of ${begin.value.name}. It runs on.\n`)
    return typeof ended.value === 'number' ? ended.value : 0
  } finally {
    releaseSignals()
    keyboard.restore()
  }
}

/** Where in the console's log to begin; refused for a machine that is off. */
async function beginning({ session, input }: Run): Promise<Result<{ name: string; fromByte: number }>> {
  const machine = String(input.machine)
  const shown = (await session.call('machine.show', { machine }, true)) as Result<Machine>
  if (!shown.ok) return shown
  const { name, state } = shown.value
  if (!isOn(state)) return { ok: false, error: isOff(name, state.kind) }
  const logged = (await session.call('console.log', { machine, tailBytes: 1 }, true)) as Result<ResultOf<'console.log'>>
  if (!logged.ok) return logged
  const { totalBytes } = logged.value
  return { ok: true, value: { name, fromByte: input.fromStart ? 0 : input.log ? Math.max(0, totalBytes - LOG_BYTES) : totalBytes } }
}

/**
 * Joins keyboard and console until one of them ends: the exit code of whoever left, or the state that the machine has come to.
 * When the Strata that owns the library ends, another one takes over, and the console goes on where it was.
 */
async function follow({ session, input }: Run, fromByte: number, keyboard: Keyboard, greet: () => void): Promise<Result<number | Machine['state']>> {
  const machine = String(input.machine)
  let position = fromByte
  for (;;) {
    const backend = await session.connected()
    const opened = await session.openStream('console', { machine, fromByte: position })
    if (!opened.ok) return opened
    keyboard.begin(greet)
    const ended = await keyboard.use(opened.value, (bytes) => {
      position += bytes.length
      return process.stdout.write(bytes)
    })
    if (ended !== 'stream') return { ok: true, value: ended }
    await session.drop(backend)
    const shown = (await session.call('machine.show', { machine }, true)) as Result<Machine>
    if (!shown.ok) return shown
    if (!isOn(shown.value.state)) return { ok: true, value: shown.value.state }
  }
}

const isOn = ({ kind }: Machine['state']): boolean => kind === 'running' || kind === 'paused' || kind === 'stopping'

const isOff = (name: string, state: string): AppError => ({
  code: 'wrong-state',
  name,
  state,
  message: `“${name}” is ${state}: only a running machine has a console.`,
  next: `Start it: strata machine start ${shellQuote(name)}. What it printed before: strata console log ${shellQuote(name)}`,
  causes: []
})

/** The terminal's keys, raw, while a console uses them. Its mode is put back on every way out. */
class Keyboard {
  readonly isTerminal: boolean
  private stream: Duplex | null = null
  private finish: (code: number) => void = () => {}
  private readonly left: Promise<number>
  private begun = false
  private readonly onExit = (): void => this.restore()

  constructor(private readonly stdin: NodeJS.ReadStream) {
    this.isTerminal = stdin.isTTY
    this.left = new Promise((resolve) => (this.finish = resolve))
  }

  /** Takes the keys; only once. */
  begin(greet: () => void): void {
    if (this.begun) return
    this.begun = true
    process.once('exit', this.onExit)
    if (this.isTerminal) {
      greet()
      this.stdin.setRawMode(true)
    }
    this.stdin.on('data', this.onData)
    this.stdin.on('error', () => {}) // a terminal that has hung up: SIGHUP follows
  }

  /** Joins the keys with a stream; between two of them they wait in the terminal. @returns `stream` when that has ended, else the exit code of whoever leaves */
  async use(stream: Duplex, print: (bytes: Buffer) => boolean): Promise<number | 'stream'> {
    this.stream = stream
    this.stdin.resume()
    stream.on('data', (bytes: Buffer) => {
      if (print(bytes)) return
      stream.pause()
      process.stdout.once('drain', () => stream.resume())
    })
    stream.on('error', () => stream.destroy())
    const ended = new Promise<'stream'>((resolve) => stream.once('close', () => resolve('stream')))
    stream.once('end', () => stream.destroy())
    const outcome = await Promise.race([ended, this.left])
    this.stream = null
    this.stdin.pause()
    // What was typed last is still sent: `end` and not `destroy`, and a moment for it.
    if (outcome !== 'stream') {
      stream.end()
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 200))])
      stream.destroy()
    }
    return outcome
  }

  leave(code: number): void {
    this.finish(code)
  }

  restore(): void {
    if (!this.begun) return
    this.begun = false
    process.off('exit', this.onExit)
    this.stdin.off('data', this.onData)
    this.stdin.pause()
    if (!this.isTerminal) return
    this.stdin.setRawMode(false)
    if (process.stdout.isTTY) process.stdout.write(TIDY)
  }

  private readonly onData = (bytes: Buffer): void => {
    const end = this.isTerminal ? bytes.indexOf(LEAVE) : -1
    const typed = end >= 0 ? bytes.subarray(0, end) : bytes
    if (typed.length > 0 && this.stream && !this.stream.write(typed)) {
      this.stdin.pause()
      this.stream.once('drain', () => this.stdin.resume())
    }
    if (end >= 0) this.leave(0)
  }
}
