/** Numbers as people read them. Sizes are binary; one decimal; a space before the unit that never breaks. */
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
const NARROW = '\u00a0'

function scaled(bytes: number): { value: number; unit: number } {
  let value = bytes
  let unit = 0
  // 1023.95 would be shown as "1024.0": it belongs to the next unit.
  while (Math.abs(value) >= 1023.95 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return { value, unit }
}

/** `1.5 GiB`, `256 MiB`, `512 B`. A whole number has no decimal; for numbers that change use `formatLiveSize`. */
export function formatSize(bytes: number): string {
  const { value, unit } = scaled(bytes)
  const rounded = Math.round(value * 10) / 10
  return (Number.isInteger(rounded) || unit === 0 ? String(Math.round(value)) : rounded.toFixed(1)) + NARROW + UNITS[unit]
}

/** Always one decimal, so that the text keeps its width while the number changes. */
export function formatLiveSize(bytes: number): string {
  const { value, unit } = scaled(bytes)
  return (unit === 0 ? String(Math.round(value)) : value.toFixed(1)) + NARROW + UNITS[unit]
}

export const formatRate = (bytesPerSecond: number): string => formatLiveSize(bytesPerSecond) + '/s'

/** 0 to 1 as `37 %`. A share that is small but not nothing is not shown as 0. */
export function formatPercent(share: number): string {
  const percent = share * 100
  return (percent > 0 && percent < 1 ? '<1' : String(Math.round(percent))) + NARROW + '%'
}

export const formatCount = (count: number, one: string, many = one + 's'): string => `${count}${NARROW}${count === 1 ? one : many}`

/** A span of time for people: `42 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`. */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds}${NARROW}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}${NARROW}min` + (minutes < 10 && seconds % 60 ? ` ${seconds % 60}${NARROW}s` : '')
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours}${NARROW}h` + (minutes % 60 ? ` ${minutes % 60}${NARROW}min` : '')
  const days = Math.floor(hours / 24)
  return `${days}${NARROW}d` + (hours % 24 ? ` ${hours % 24}${NARROW}h` : '')
}

const relative = new Intl.RelativeTimeFormat('en-GB', { numeric: 'auto' })
/** From how many seconds on a unit is used, coarsest first. */
const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365 * 86400],
  ['month', 30 * 86400],
  ['day', 86400],
  ['hour', 3600],
  ['minute', 60]
]

/** `3 minutes ago`; below a minute `just now`, so that it does not count seconds. */
export function formatRelative(atMs: number, nowMs: number): string {
  const seconds = (atMs - nowMs) / 1000
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit)
  }
  return 'just now'
}

const exact = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' })
const clockSeconds = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })

/** `4 Mar 2026, 14:02:31` */
export const formatExact = (atMs: number): string => exact.format(atMs)
/** `14:02` */
export const formatClock = (atMs: number): string => clock.format(atMs)
/** `14:02:31` */
export const formatClockSeconds = (atMs: number): string => clockSeconds.format(atMs)
