import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const css = readFileSync(resolve(import.meta.dirname, '../../../../renderer/ui/tokens.css'), 'utf8')

/** The `--name: oklch(...)` of one block of the file. */
function tokensOf(selector: string): Map<string, [number, number, number]> {
  const start = css.indexOf(selector + ' {')
  const block = css.slice(start, css.indexOf('\n}', start))
  return new Map(
    [...block.matchAll(/--([\w-]+): oklch\(([\d.]+)% ([\d.]+) ([\d.]+)\)/g)].map(([, name, l, c, h]) => [
      name!,
      [Number(l) / 100, Number(c), Number(h)]
    ])
  )
}
const themes = { light: tokensOf(':root'), dark: tokensOf(":root[data-theme='dark']") }

/** Relative luminance (WCAG 2.2) of an OKLCH colour, by the matrices of CSS Color 4. */
function luminance([lightness, chroma, hue]: [number, number, number]): number {
  const a = chroma * Math.cos((hue * Math.PI) / 180)
  const b = chroma * Math.sin((hue * Math.PI) / 180)
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
  const clamp = (value: number): number => Math.min(1, Math.max(0, value))
  const red = clamp(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s)
  const green = clamp(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s)
  const blue = clamp(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s)
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(theme: keyof typeof themes, one: string, other: string): number {
  const [bright, dim] = [one, other]
    .map((name) => {
      const colour = themes[theme].get(name)
      if (!colour) throw new Error(`--${name} is not in the ${theme} theme`)
      return luminance(colour)
    })
    .sort((a, b) => b - a) as [number, number]
  return (bright + 0.05) / (dim + 0.05)
}

const SURFACES = ['surface', 'panel', 'raised', 'hover', 'inset', 'field']
const STATES = ['running', 'paused', 'busy', 'failed', 'off']
const TEXT: [string, string][] = [
  ...['text', 'muted', 'faint', 'accent-text'].flatMap((text) => SURFACES.map((surface): [string, string] => [text, surface])),
  ...STATES.flatMap((state): [string, string][] => [
    ...SURFACES.map((surface): [string, string] => [state, surface]),
    [state, `${state}-soft`],
    [state, 'selected']
  ]),
  ...['ground-soft', 'stratum-soft', 'stratum-active-soft'].flatMap((slab): [string, string][] => [
    ['text', slab],
    ['muted', slab],
    ['accent-text', slab],
    ['failed', slab]
  ]),
  ['text', 'selected'],
  ['text', 'selected-quiet'],
  ['muted', 'selected-quiet'],
  ['muted', 'accent-soft'],
  ['on-accent', 'accent'],
  ['on-accent', 'accent-hover'],
  ['on-state', 'failed'],
  ['on-state', 'failed-hover'],
  ['text', 'paused-soft'],
  ['text', 'failed-soft']
]

/** Those of the pairs that have less contrast than they should, with what they have. */
const tooFaint = (theme: keyof typeof themes, pairs: [string, string][], least: number): string[] =>
  pairs
    .filter(([one, other]) => contrast(theme, one, other) < least)
    .map(([one, other]) => `${one} on ${other}: ${contrast(theme, one, other).toFixed(2)}`)

describe.each(['light', 'dark'] as const)('the %s theme', (theme) => {
  it('shows all text and all states at WCAG AA, wherever they stand', () => {
    expect(tooFaint(theme, TEXT, 4.5)).toEqual([])
  })
  it('shows the borders of controls and the lines of charts at 3:1', () => {
    const shapes = ['surface', 'panel', 'raised', 'field'].map((surface): [string, string] => ['line-control', surface])
    expect(tooFaint(theme, [...shapes, ['chart-1', 'panel'], ['chart-2', 'panel'], ['accent', 'panel']], 3)).toEqual([])
  })
})

it('has the same colours in both themes', () => {
  expect([...themes.dark.keys()].sort()).toEqual([...themes.light.keys()].sort())
})

it('gives text and states about the same contrast in both themes', () => {
  for (const name of ['text', 'muted', 'faint', ...STATES]) {
    const [light, dark] = [contrast('light', name, 'panel'), contrast('dark', name, 'panel')]
    expect(Math.max(light, dark) / Math.min(light, dark), `${name}: ${light.toFixed(1)} and ${dark.toFixed(1)}`).toBeLessThan(1.45)
  }
})
