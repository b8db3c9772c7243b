import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fingerprint, readJson, replaceFolder, withTemporaryFolder, writeWhole } from '../../../scripts/lib/files.mjs'

let folder
const at = (...parts) => path.join(folder, ...parts)
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'files-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a fingerprint', () => {
  const of = () => fingerprint([at('tree'), at('single')])
  beforeEach(() => {
    mkdirSync(at('tree/below'), { recursive: true })
    writeFileSync(at('tree/below/a'), 'a')
    writeFileSync(at('single'), 's')
  })

  it('stays the same while nothing changes', () => {
    expect(of()).toBe(of())
  })

  it.each([
    ['a file is added', () => writeFileSync(at('tree/b'), '')],
    ['a file is removed', () => rmSync(at('tree/below/a'))],
    ['a file is written', () => writeFileSync(at('tree/below/a'), 'longer')],
    ['a single file goes', () => rmSync(at('single'))]
  ])('changes when %s', (_what, change) => {
    const before = of()
    change()
    expect(of()).not.toBe(before)
  })
})

describe('replacing a folder', () => {
  it('leaves the new files, none of the old, and nothing beside it', () => {
    mkdirSync(at('from/below'), { recursive: true })
    writeFileSync(at('from/below/new'), 'new')
    mkdirSync(at('to'))
    writeFileSync(at('to/old'), 'old')
    replaceFolder(at('from'), at('to'))
    expect(readdirSync(at('to'), { recursive: true }).sort()).toEqual(['below', 'below/new'])
    expect(readdirSync(folder).sort()).toEqual(['from', 'to'])
  })

  it('leaves the old folder as it was when the new one cannot be copied', () => {
    mkdirSync(at('to'))
    writeFileSync(at('to/old'), 'old')
    expect(() => replaceFolder(at('missing'), at('to'))).toThrow('ENOENT')
    expect(readFileSync(at('to/old'), 'utf8')).toBe('old')
  })
})

describe('small files', () => {
  it('are written in full, and read back', () => {
    writeWhole(at('deep/stamp.json'), '{"a":1}')
    expect(readJson(at('deep/stamp.json'))).toEqual({ a: 1 })
    expect(readdirSync(at('deep'))).toEqual(['stamp.json'])
  })

  it('count as missing when they are damaged', () => {
    writeFileSync(at('cut.json'), '{"a":')
    expect(readJson(at('cut.json'), 'nothing')).toBe('nothing')
  })
})

it('a temporary folder goes when its user fails', async () => {
  let seen
  const use = withTemporaryFolder(async (temporary) => {
    seen = temporary
    throw new Error('no')
  })
  await expect(use).rejects.toThrow('no')
  expect(existsSync(seen)).toBe(false)
})
