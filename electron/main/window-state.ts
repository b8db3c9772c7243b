import { readFileSync, writeFileSync, renameSync } from 'node:fs'

/** A rectangle in device-independent pixels. */
export interface Area {
  x: number
  y: number
  width: number
  height: number
}

/** What is remembered from one start to the next: where the window was, and how it looked. */
export interface WindowState {
  area: Area | null
  maximised: boolean
  /** The window's colours are needed before the library with its settings is open. */
  theme: Theme
}
type Theme = (typeof THEMES)[number]
const THEMES = ['system', 'light', 'dark'] as const

export const MINIMUM = { width: 880, height: 560 }
const DEFAULT = { width: 1280, height: 800 }
const INITIAL: WindowState = { area: null, maximised: false, theme: 'system' }

/** The remembered state; the initial one when there is none or when it cannot be read: losing it costs nothing. */
export function readWindowState(file: string): WindowState {
  try {
    const read: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return isWindowState(read) ? read : INITIAL
  } catch {
    return INITIAL
  }
}

/** By hand: the schema library would be read from disk before the window could open. */
const isWindowState = (read: unknown): read is WindowState =>
  isObject(read) && (read.area === null || isArea(read.area)) && typeof read.maximised === 'boolean' && THEMES.some((theme) => theme === read.theme)
const isArea = (read: unknown): read is Area => isObject(read) && [read.x, read.y, read.width, read.height].every(Number.isInteger)
const isObject = (read: unknown): read is Record<string, unknown> => typeof read === 'object' && read !== null

export function writeWindowState(file: string, state: WindowState): void {
  writeFileSync(file + '.new', JSON.stringify(state))
  renameSync(file + '.new', file)
}

/**
 * Where to open the window: where it was, if enough of it can be seen and grabbed on the displays there are now; otherwise the
 * default size, which the system places.
 */
export function placeWindow(remembered: Area | null, workAreas: readonly Area[]): Partial<Area> {
  if (!remembered) return DEFAULT
  const home = workAreas.find((display) => overlap(remembered, display) >= 0.5)
  if (!home) return DEFAULT
  const width = clamp(remembered.width, MINIMUM.width, home.width)
  const height = clamp(remembered.height, MINIMUM.height, home.height)
  return {
    x: clamp(remembered.x, home.x, Math.max(home.x, home.x + home.width - width)),
    y: clamp(remembered.y, home.y, Math.max(home.y, home.y + home.height - height)),
    width,
    height
  }
}

/** The share of `area` that lies on `display`, 0 to 1. */
function overlap(area: Area, display: Area): number {
  const width = Math.min(area.x + area.width, display.x + display.width) - Math.max(area.x, display.x)
  const height = Math.min(area.y + area.height, display.y + display.height) - Math.max(area.y, display.y)
  return width <= 0 || height <= 0 ? 0 : (width * height) / (area.width * area.height)
}

const clamp = (value: number, least: number, most: number): number => Math.max(least, Math.min(value, Math.max(least, most)))
