import type { Failure } from '#contract'
import { cancelled } from '../task/work'

export interface WaitOptions {
  signal?: AbortSignal | undefined
  /** Infinity waits without end. */
  timeoutMs?: number | undefined
}

/** Longest delay of a timer; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/**
 * One caller who waits. Settled once, by whichever comes first: what it waits for, its time, its signal, or somebody who
 * knows that it waits in vain. Later attempts do nothing, so that a late answer needs no care.
 */
export class Waiter<T> {
  readonly promise: Promise<T>
  private fulfil!: (value: T) => void
  private refuse!: (error: unknown) => void
  private readonly timer: NodeJS.Timeout | null = null
  private readonly signal: AbortSignal | undefined
  private readonly abort: (() => void) | null = null
  private settled = false

  /**
   * @param tooLate makes the error for when the time is up
   * @param onSettled called once, in any case
   */
  constructor(
    { signal, timeoutMs = Infinity }: WaitOptions,
    tooLate: (waitedMs: number) => Failure,
    private readonly onSettled?: () => void
  ) {
    this.promise = new Promise<T>((resolve, reject) => {
      this.fulfil = resolve
      this.refuse = reject
    })
    this.signal = signal
    if (signal?.aborted) {
      this.reject(cancelled())
      return
    }
    if (timeoutMs <= LONGEST_TIMER_MS) this.timer = setTimeout(() => this.reject(tooLate(timeoutMs)), timeoutMs)
    if (signal) {
      this.abort = () => this.reject(cancelled())
      signal.addEventListener('abort', this.abort, { once: true })
    }
  }

  get isSettled(): boolean {
    return this.settled
  }

  resolve(value: T): void {
    if (this.settle()) this.fulfil(value)
  }

  reject(error: unknown): void {
    if (this.settle()) this.refuse(error)
  }

  private settle(): boolean {
    if (this.settled) return false
    this.settled = true
    if (this.timer) clearTimeout(this.timer)
    if (this.abort) this.signal?.removeEventListener('abort', this.abort)
    this.onSettled?.()
    return true
  }
}
