import { readFile } from 'node:fs/promises'

/** Readings closer together than this are answered from the last one: over a few ticks a share says nothing. */
const LEAST_INTERVAL_MS = 500

/** Share of all processors in use, 0 to 1, between one reading and the next. The first one answers the share since boot. */
export class CpuLoad {
  private before = { busy: 0, total: 0 }
  private readAtMs = -Infinity
  private share = 0

  constructor(private readonly file = '/proc/stat') {}

  async read(): Promise<number> {
    if (performance.now() - this.readAtMs < LEAST_INTERVAL_MS) return this.share
    this.readAtMs = performance.now()
    const now = parseCpuTimes(await readFile(this.file, 'latin1'))
    const total = now.total - this.before.total
    if (total > 0) this.share = Math.min(1, Math.max(0, (now.busy - this.before.busy) / total))
    this.before = now
    return this.share
  }
}

/** The first line of /proc/stat. Source: proc(5): user nice system idle iowait irq softirq steal; guests count as user. */
export function parseCpuTimes(text: string): { busy: number; total: number } {
  const ticks = (text.split('\n', 1)[0] ?? '').trim().split(/\s+/).slice(1, 9).map(Number)
  const total = ticks.reduce((sum, value) => sum + value, 0)
  return { total, busy: total - (ticks[3] ?? 0) - (ticks[4] ?? 0) }
}
