import { readProcessWaits } from '../host/process'
import type { QmpSession } from '../qmp/session'

const EVERY_MS = 2_000
/** One that has not answered for so long hangs: a busy computer makes QEMU's main loop wait for seconds. */
export const PATIENCE_MS = 8_000

/** A process that serves. */
export interface Watched {
  readonly qmp: QmpSession
  readonly pid: number
}
export interface Hanging {
  readonly pid: number
  readonly sinceMs: number
  readonly because: 'stopped' | 'storage' | null
}

/**
 * Whether whoever serves is well. Its monitor is asked again and again, one question at a time; an answer that comes late tells that it is well again. And
 * the system is asked whether one of its threads has been in one and the same wait for a device all the time: QEMU's monitor answers then, and the guests get nothing.
 */
export class Pulse {
  private watched: Watched | null = null
  private timer: NodeJS.Timeout | null = null
  private askedAtMs: number | null = null
  private stopped = false
  /** Since when each wait has been seen. */
  private waits = new Map<string, number>()
  /** What is known to hang; null: all is well, as far as is known. */
  hanging: Hanging | null = null

  /** @param onDidChange it hangs, or does no longer */
  constructor(private readonly onDidChange: () => void) {}

  /** Looks after this process from now on, and no other. @param watched null: after none */
  watch(watched: Watched | null): void {
    if (watched?.qmp === this.watched?.qmp) return
    if (this.timer) clearInterval(this.timer)
    this.timer = null
    this.askedAtMs = null
    this.waits = new Map()
    this.hanging = null
    this.watched = watched
    if (!watched) return
    this.timer = setInterval(() => this.look(watched), EVERY_MS).unref()
    void watched.qmp.closed.then(() => {
      if (this.watched === watched) this.watch(null) // it has ended, which is told otherwise
    })
  }

  private look(watched: Watched): void {
    if (this.askedAtMs === null) void this.ask(watched)
    const { stopped, waits } = readProcessWaits(watched.pid)
    const seen = this.waits
    this.waits = new Map(waits.map((wait) => [wait, seen.get(wait) ?? Date.now()]))
    this.stopped = stopped
    this.judge(watched)
  }

  private async ask(watched: Watched): Promise<void> {
    this.askedAtMs = Date.now()
    const answered = await watched.qmp.execute('query-block-exports', {}, { timeoutMs: Infinity }).then(
      () => true,
      () => false // it has ended
    )
    if (!answered || this.watched !== watched) return
    this.askedAtMs = null
    this.judge(watched)
  }

  private judge({ pid }: Watched): void {
    const was = this.hanging
    const patience = Date.now() - PATIENCE_MS
    const waitsSinceMs = Math.min(...this.waits.values())
    const sinceMs = Math.min(this.askedAtMs ?? Infinity, waitsSinceMs)
    const because = this.stopped ? 'stopped' : waitsSinceMs <= patience ? 'storage' : null
    this.hanging = sinceMs > patience ? null : { pid, sinceMs: was?.sinceMs ?? sinceMs, because }
    if (this.hanging?.because !== was?.because || (this.hanging === null) !== (was === null)) this.onDidChange()
  }
}
