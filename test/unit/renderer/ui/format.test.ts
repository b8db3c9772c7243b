import { describe, expect, it } from 'vitest'
import { formatLiveSize, formatPercent, formatRelative, formatSize, formatSpan } from '../../../../renderer/ui/format'
import { niceTop } from '../../../../renderer/ui/scale'
import { bytesOf, partsOf, sizeArgument } from '../../../../renderer/ui/size-text'
import { layersAt } from '../../../../renderer/ui/strata-glyph'

const KIB = 1024
const MIB = KIB * 1024
const GIB = MIB * 1024
/** A space that never breaks stands before every unit. */
const plain = (text: string): string => text.replaceAll('\u00a0', ' ')

describe('sizes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [256 * MIB, '256 MiB'],
    [1024 * MIB - 1, '1 GiB'],
    [1.55 * GIB, '1.6 GiB'],
    [5000 * GIB, '4.9 TiB']
  ])('%d is %s', (bytes, text) => {
    expect(plain(formatSize(bytes))).toBe(text)
  })
  it('keeps one decimal while a number changes', () => {
    expect([256 * MIB, 256.5 * MIB].map((bytes) => plain(formatLiveSize(bytes)))).toEqual(['256.0 MiB', '256.5 MiB'])
  })
  it.each([
    [1.5 * GIB, { text: '1.5', unit: 'GiB' }],
    [256 * MIB, { text: '256', unit: 'MiB' }],
    [0, { text: '0', unit: 'GiB' }]
  ])('%d bytes are shown for editing so that they read back as the same', (bytes, parts) => {
    expect(partsOf(bytes)).toEqual(parts)
    expect(bytesOf(parts.text, partsOf(bytes).unit)).toBe(bytes)
  })
  it('reads a comma as a point and refuses what is no number', () => {
    expect(bytesOf('1,5', 'GiB')).toBe(1.5 * GIB)
    expect(partsOf(bytesOf('99999999999999', 'TiB')!)).toEqual({ text: '8191', unit: 'TiB' })
    expect(['', 'a', '-1', '1e3', '1.2.3'].map((text) => bytesOf(text, 'MiB'))).toEqual([null, null, null, null, null])
  })
  it.each([
    [GIB, '1G'],
    [1.5 * GIB, '1536M'],
    [512, '512'],
    [0, '0']
  ])('%d bytes are typed as %s', (bytes, text) => {
    expect(sizeArgument(bytes)).toBe(text)
  })
})

describe('times and shares', () => {
  it('does not count seconds in what is past', () => {
    expect(formatRelative(1000, 31_000)).toBe('just now')
    expect(formatRelative(0, 3 * 3_600_000)).toBe('3 hours ago')
    expect(formatRelative(0, 26 * 3_600_000)).toBe('yesterday')
  })
  it.each([
    [42_400, '42 s'],
    [185_000, '3 min 5 s'],
    [3_600_000 * 2 + 600_000, '2 h 10 min'],
    [-5, '0 s']
  ])('%d ms last %s', (ms, text) => {
    expect(plain(formatSpan(ms))).toBe(text)
  })
  it('does not call a little nothing', () => {
    expect([0, 0.004, 0.374, 1].map((share) => plain(formatPercent(share)))).toEqual(['0 %', '<1 %', '37 %', '100 %'])
  })
})

describe('the scale of a chart', () => {
  it('holds the greatest value, and not twice as much as it needs', () => {
    for (const value of [1, 3, 700, 1000, 1025, 5e6]) {
      expect(niceTop(value)).toBeGreaterThanOrEqual(value)
      expect(niceTop(value)).toBeLessThan(value * 2)
    }
  })
  it('does not move while the value moves a little', () => {
    expect(new Set([810, 850, 900, 1000].map(niceTop)).size).toBe(1)
  })
})

describe('the picture of layers', () => {
  const ground = { label: 'base', sizeBytes: 20 * GIB, kind: 'ground' as const }
  const active = { label: 'overlay', sizeBytes: 200 * KIB, kind: 'active' as const }

  it('lays the ground at the bottom and fills the height', () => {
    const [base, overlay] = layersAt([ground, active], 44)
    expect(base!.y + base!.thickness).toBe(44)
    expect(overlay!.y).toBe(0)
    expect(overlay!.y + overlay!.thickness).toBeLessThan(base!.y)
  })
  it('shows a small overlay on a big base, thinner than it', () => {
    const [base, overlay] = layersAt([ground, active], 44)
    expect(overlay!.thickness).toBeGreaterThanOrEqual(5)
    expect(base!.thickness).toBeGreaterThan(overlay!.thickness)
  })
})
