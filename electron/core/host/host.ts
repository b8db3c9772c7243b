import type { Host } from '#contract'
import { inspectHost, type InspectOptions } from './capabilities'

/** How old an answer may be before a reader gets a fresh one. Load and memory change all the time; one look takes a few ms. */
const FRESH_MS = 2000
/** How often a host without QEMU is looked at, so that its arrival is noticed. */
const MISSING_POLL_MS = 1500

/** What is known of the computer, looked at again when it is asked for, and by itself while QEMU is missing. */
export class HostWatch {
  private lookedAtMs = 0
  private looking: Promise<Host> | null = null
  private timer: NodeJS.Timeout | null = null

  private constructor(
    private readonly options: InspectOptions,
    private current: Host,
    private readonly onDidChange: (host: Host) => void
  ) {
    this.watchIfMissing()
  }

  static async open(options: InspectOptions, onDidChange: (host: Host) => void): Promise<HostWatch> {
    return new HostWatch(options, await inspectHost(options), onDidChange)
  }

  /** As last seen. */
  get value(): Host {
    return this.current
  }

  async look(force: boolean): Promise<Host> {
    if (!force && Date.now() - this.lookedAtMs < FRESH_MS) return this.current
    this.looking ??= this.inspect().finally(() => (this.looking = null))
    return this.looking
  }

  close(): void {
    if (this.timer) clearInterval(this.timer)
  }

  private async inspect(): Promise<Host> {
    const before = this.current
    this.current = await inspectHost(this.options)
    this.lookedAtMs = Date.now()
    this.watchIfMissing()
    if (lasting(before) !== lasting(this.current)) this.onDidChange(this.current)
    return this.current
  }

  private watchIfMissing(): void {
    if (this.timer) clearInterval(this.timer)
    this.timer = this.current.qemu ? null : setInterval(() => void this.look(true).catch(() => {}), MISSING_POLL_MS).unref() // what is wrong is told to whoever asks
  }
}

/** What is worth telling everybody: not the load of the moment. */
function lasting(host: Host): string {
  const { cpuLoad: _load, memory: _memory, library: _library, ...rest } = host
  return JSON.stringify(rest)
}
