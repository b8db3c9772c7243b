import { cpus, release, totalmem } from 'node:os'

/** What a figure was measured on: figures of different hosts are not compared. */
export const hostFacts = () => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cpus: cpus().length,
  memoryMiB: Math.round(totalmem() / 2 ** 20),
  kernel: release(),
  node: process.versions.node
})

/** Progress, for people: on stderr, as stdout holds the one line of figures. */
export const progress = (line: string): void => void process.stderr.write(line + '\n')

/** The benchmark's last word. */
export function emit(bench: string, figures: Record<string, unknown>): void {
  process.stdout.write(JSON.stringify({ bench, host: hostFacts(), ...figures }) + '\n')
}

export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new Error('no values')
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
}
export const median = (values: readonly number[]): number => quantile(values, 0.5)
export const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits))
