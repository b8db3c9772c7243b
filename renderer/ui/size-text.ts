export const UNITS = ['KiB', 'MiB', 'GiB', 'TiB'] as const
export type SizeUnit = (typeof UNITS)[number]
const BYTES: Record<SizeUnit, number> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 }

/** Bytes can be counted up to here, in whole TiB. */
const LARGEST_BYTES = 8191 * BYTES.TiB

/** The number and the unit that say a size in the shortest exact way: 1.5 GiB, 256 MiB. */
export function partsOf(bytes: number): { text: string; unit: SizeUnit } {
  if (bytes === 0) return { text: '0', unit: 'GiB' }
  for (const unit of [...UNITS].reverse()) {
    const value = bytes / BYTES[unit]
    if (value >= 1 && Number.isInteger(value * 100)) return { text: String(value), unit }
  }
  return { text: String(bytes / BYTES.KiB), unit: 'KiB' }
}

/** Bytes of what is typed, or null when it is no size. A comma is read as a point; what is too large to count is the largest size there is. */
export function bytesOf(text: string, unit: SizeUnit): number | null {
  const normal = text.trim().replace(',', '.')
  if (!/^\d+(\.\d+)?$/.test(normal)) return null
  return Math.min(Math.round(Number(normal) * BYTES[unit]), LARGEST_BYTES)
}

/** A size as the command line takes it: `1536M`, `20G`; the largest unit that is exact. */
export function sizeArgument(bytes: number): string {
  if (bytes === 0) return '0'
  for (const unit of [...UNITS].reverse()) {
    if (bytes % BYTES[unit] === 0) return String(bytes / BYTES[unit]) + unit[0]
  }
  return String(bytes)
}
