import type { ISearchOptions } from '@xterm/addon-search'
import type { ITheme } from '@xterm/xterm'
import { createPersisted } from '../../app'
import './terminal.css'

type ISearchDecorationOptions = NonNullable<ISearchOptions['decorations']>

/** What users set for all terminals of the window. */
interface TerminalLook {
  fontSizePixels: number
  /** xterm.js then keeps the text where screen readers find it, and announces output. */
  screenReader: boolean
}

const DEFAULT: TerminalLook = { fontSizePixels: 13, screenReader: false }
const SMALLEST = 8
const LARGEST = 32

export const useTerminalLook = createPersisted<TerminalLook>('terminal', DEFAULT, ({ fontSizePixels, screenReader }) => fontSizePixels >= SMALLEST && fontSizePixels <= LARGEST && typeof screenReader === 'boolean')

/** Larger or smaller by so many steps; 0 goes back to the normal size. */
export function zoomTerminals(steps: number): void {
  useTerminalLook.setState(({ fontSizePixels }) => ({
    fontSizePixels: steps === 0 ? DEFAULT.fontSizePixels : Math.max(SMALLEST, Math.min(LARGEST, fontSizePixels + steps))
  }))
}

export const toggleScreenReader = (): void => useTerminalLook.setState(({ screenReader }) => ({ screenReader: !screenReader }))

const COLOURS = {
  background: '--terminal-background',
  foreground: '--terminal-text',
  cursor: '--terminal-cursor',
  cursorAccent: '--terminal-background',
  selectionBackground: '--terminal-selection',
  selectionInactiveBackground: '--terminal-selection',
  scrollbarSliderBackground: '--terminal-scrollbar',
  scrollbarSliderHoverBackground: '--terminal-scrollbar-active',
  scrollbarSliderActiveBackground: '--terminal-scrollbar-active',
  black: '--terminal-black',
  red: '--terminal-red',
  green: '--terminal-green',
  yellow: '--terminal-yellow',
  blue: '--terminal-blue',
  magenta: '--terminal-magenta',
  cyan: '--terminal-cyan',
  white: '--terminal-white',
  brightBlack: '--terminal-bright-black',
  brightRed: '--terminal-bright-red',
  brightGreen: '--terminal-bright-green',
  brightYellow: '--terminal-bright-yellow',
  brightBlue: '--terminal-bright-blue',
  brightMagenta: '--terminal-bright-magenta',
  brightCyan: '--terminal-bright-cyan',
  brightWhite: '--terminal-bright-white'
} as const satisfies Partial<Record<keyof ITheme, string>>

/** The colours of the current theme, as xterm.js takes them: sRGB, because it reads no OKLCH. */
export function terminalTheme(): ITheme {
  const styles = getComputedStyle(document.documentElement)
  const inSrgb = srgbReader()
  return Object.fromEntries(Object.entries(COLOURS).map(([name, variable]) => [name, inSrgb(styles.getPropertyValue(variable))]))
}

export const terminalFont = (): string => getComputedStyle(document.documentElement).getPropertyValue('--mono')

/** Search results in the colours of the theme. */
export function searchColours(): ISearchDecorationOptions {
  const styles = getComputedStyle(document.documentElement)
  const inSrgb = srgbReader()
  const match = inSrgb(styles.getPropertyValue('--terminal-match'))
  const active = inSrgb(styles.getPropertyValue('--terminal-match-active'))
  return { matchBackground: match, matchOverviewRuler: match, activeMatchBackground: active, activeMatchBorder: inSrgb(styles.getPropertyValue('--terminal-cursor')), activeMatchColorOverviewRuler: active }
}

/** Calls the listener when the window's theme changes. */
export function onThemeChange(listener: () => void): () => void {
  const observer = new MutationObserver(listener)
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
  return () => observer.disconnect()
}

/** Any CSS colour as #rrggbb or #rrggbbaa: drawn, and looked at. */
function srgbReader(): (colour: string) => string {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = 1
  const pen = canvas.getContext('2d', { willReadFrequently: true })!
  return (colour) => {
    pen.clearRect(0, 0, 1, 1)
    pen.fillStyle = colour
    pen.fillRect(0, 0, 1, 1)
    const channels = [...pen.getImageData(0, 0, 1, 1).data]
    return '#' + (channels[3] === 255 ? channels.slice(0, 3) : channels).map((channel) => channel.toString(16).padStart(2, '0')).join('')
  }
}
