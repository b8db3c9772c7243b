import type { Machine } from '#contract'

export type Look = (machineId: string) => Promise<string | null>

/** Between two pictures, whoever's: a wall of twenty is gone through in about six seconds, and costs the guests nothing that one would notice. */
const PAUSE_MS = 300
/** Of one machine, at most so often. */
const EVERY_MS = 2_000

/**
 * Looks at the screens of the machines that are seen, one after the other. Nobody is looked at who is out of sight, and nobody at all while the
 * window is hidden.
 */
export class ScreenWatch {
  private readonly seen = new Map<string, { show: (png: string | null) => void; lookedAtMs: number }>()
  private timer: ReturnType<typeof setTimeout> | null = null
  private looking = false

  /** @param visible whether the window is there to be seen */
  constructor(
    private readonly look: Look,
    private readonly visible: () => boolean = () => document.visibilityState === 'visible',
    private readonly now: () => number = () => Date.now()
  ) {}

  /** Shows a machine's screen from now on; answers the function that ends it. */
  watch(machineId: string, show: (png: string | null) => void): () => void {
    const entry = { show, lookedAtMs: 0 }
    this.seen.set(machineId, entry)
    this.later(0)
    return () => {
      if (this.seen.get(machineId) === entry) this.seen.delete(machineId)
    }
  }

  private later(delayMs: number): void {
    if (this.timer !== null || this.looking) return
    this.timer = setTimeout(() => {
      this.timer = null
      void this.step()
    }, delayMs)
  }

  /** The one that was not looked at for the longest time. */
  private async step(): Promise<void> {
    const [next] = [...this.seen].sort(([, a], [, b]) => a.lookedAtMs - b.lookedAtMs)
    if (!next) return
    const [id, entry] = next
    const waitMs = entry.lookedAtMs + EVERY_MS - this.now()
    if (waitMs > 0 || !this.visible()) return this.later(Math.max(waitMs, PAUSE_MS))
    entry.lookedAtMs = this.now()
    this.looking = true
    const png = await this.look(id)
    this.looking = false
    if (this.seen.get(id) === entry) entry.show(png)
    this.later(PAUSE_MS)
  }
}

/** Whether there is a screen to look at. */
export const hasScreen = ({ state, definition }: Machine): boolean => (state.kind === 'running' || state.kind === 'paused') && definition?.display === true
