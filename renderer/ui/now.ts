import { useSyncExternalStore } from 'react'

/**
 * The time, in steps, for all that shows it. One timer a step, only while something shows it and the page can be seen: a window
 * in the background does nothing.
 */
class Ticker {
  private readonly listeners = new Set<() => void>()
  private timer: ReturnType<typeof setInterval> | null = null
  now = Date.now()

  constructor(private readonly stepMs: number) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    if (this.listeners.size === 1) this.start()
    return () => {
      this.listeners.delete(listener)
      if (this.listeners.size === 0) this.stop()
    }
  }

  private readonly tick = (): void => {
    if (document.visibilityState === 'hidden') return
    this.now = Date.now()
    this.listeners.forEach((listener) => listener())
  }

  private start(): void {
    this.now = Date.now()
    this.timer = setInterval(this.tick, this.stepMs)
    document.addEventListener('visibilitychange', this.tick)
  }

  private stop(): void {
    if (this.timer) clearInterval(this.timer)
    this.timer = null
    document.removeEventListener('visibilitychange', this.tick)
  }
}

const tickers = { second: new Ticker(1000), quarterMinute: new Ticker(15_000) }

/** The time of the last step, in milliseconds; renders again at each step. */
export function useNow(step: keyof typeof tickers): number {
  const ticker = tickers[step]
  return useSyncExternalStore(ticker.subscribe, () => ticker.now)
}
