import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { collectGarbage } from '#core/store/gc'
import { storeStats } from '#core/store/stats'
import type { Store } from '#core/store/store'
import { verifyStore } from '#core/store/verify'
import { failureOf, scratchFolder } from '../../support/scratch'
import { KiB, MiB, smallStore, writePieces } from '../../support/store'

/** Turns one bit. @param at from the end when it is negative */
function flip(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at < 0 ? bytes.length + at : at]! ^= 16
  writeFileSync(path, bytes)
}

let folder: string
let store: Store
const source = (name: string) => [{ name: 'disk', path: join(folder, name) }]
const packPath = async (archive: string): Promise<string> => store.packs.pathOf((await store.archives.read(archive)).head.packs[0]!)

/** `one` and `two` have nothing in common and lie in packs of their own; `both` shares a part of each. */
beforeEach(async () => {
  folder = scratchFolder()
  store = smallStore(folder)
  onTestFinished(() => store.close())
  writePieces(join(folder, 'one'), MiB, [{ at: 0, seed: 'one', bytes: MiB }])
  writePieces(join(folder, 'two'), MiB, [{ at: 0, seed: 'two', bytes: MiB }])
  writePieces(join(folder, 'third'), MiB, [{ at: 256 * KiB, seed: 'one', bytes: 16 * KiB }])
  await store.put('one', source('one'))
  await store.put('two', source('two'))
  await store.put('third', source('third'))
})

describe('verification', () => {
  it('finds nothing where nothing is wrong', async () => {
    expect(await verifyStore(store)).toMatchObject({ archives: 3, checkedChunks: 512, damaged: [], unreadable: [], touchedArchives: [] })
  })

  it('names a damaged chunk, and where it is needed, and no others', async () => {
    flip(await packPath('one'), 100) // in the first frame: chunks 0 to 15
    const { damaged, damagedChunks, touchedArchives } = await verifyStore(store)
    expect(touchedArchives.sort()).toEqual(['one', 'third'])
    expect(damagedChunks).toBeGreaterThan(0)
    expect(damaged[0]!.chunk).toMatch(/^[0-9a-f]{32}$/)
    expect(damaged.flatMap((one) => one.touches)).toContainEqual({ archive: 'third', file: 'disk', offset: 256 * KiB })
    expect(Math.max(...damaged.flatMap((one) => one.touches.filter((touch) => touch.archive === 'one').map((touch) => touch.offset)))).toBeLessThan(64 * KiB)
    const error = await failureOf('bad-file', store.read('one', 'disk', 0, 10))
    expect(error.message).toContain(damaged[0]!.chunk.slice(0, 8))
    expect(await store.read('one', 'disk', 64 * KiB, 10)).toHaveLength(10)
    expect(await store.read('two', 'disk', 0, MiB)).toHaveLength(MiB)
  })

  it.each([
    ['its index', -500],
    ['its end', -3],
    ['its beginning', 3]
  ])('tells when a pack is damaged in %s', async (_where, at) => {
    flip(await packPath('two'), at)
    await store.packs.close()
    const { unreadable, touchedArchives } = await verifyStore(store)
    expect(unreadable).toHaveLength(1)
    expect(touchedArchives).toEqual(['two'])
    await failureOf('bad-file', store.read('two', 'disk', 0, 10))
    expect(await store.read('third', 'disk', 0, MiB)).toHaveLength(MiB)
  })

  it('tells when a pack is gone', async () => {
    rmSync(await packPath('one'))
    await store.packs.close()
    expect(await verifyStore(store)).toMatchObject({ touchedArchives: expect.arrayContaining(['one', 'third']) as string[] })
    expect((await failureOf('bad-file', store.read('one', 'disk', 0, 10))).message).toContain('is gone')
  })

  it('tells when an archive is damaged, and the others can be used', async () => {
    flip(store.archives.pathOf('one'), 80)
    expect((await verifyStore(store)).unreadable).toMatchObject([{ path: store.archives.pathOf('one') }])
    await failureOf('bad-file', store.read('one', 'disk', 0, 10))
    expect(await store.read('third', 'disk', 0, MiB)).toHaveLength(MiB)
    expect((await storeStats(store)).unreadable).toHaveLength(1)
  })
})

describe('after damage', () => {
  it('stores damaged chunks anew when they come again', async () => {
    flip(await packPath('one'), 100)
    await verifyStore(store)
    await store.put('again', source('one'))
    expect(await store.read('again', 'disk', 0, MiB)).toHaveLength(MiB)
    await store.remove('one')
    await store.remove('third')
    await collectGarbage(store)
    expect(await verifyStore(store)).toMatchObject({ damaged: [], touchedArchives: [] })
  })

  it('cleans up around a damaged pack, and deletes nothing of it that is needed', async () => {
    flip(await packPath('one'), 100)
    await store.remove('one')
    const cleaned = await collectGarbage(store)
    expect(cleaned.damagedPacks).toHaveLength(1)
    expect((await verifyStore(store)).touchedArchives).toEqual(['third'])
  })

  it('does not clean up while an archive cannot be read: what it needs cannot be told', async () => {
    flip(store.archives.pathOf('one'), 80)
    const error = await failureOf('bad-file', collectGarbage(store))
    expect(error.next).toBe('Remove that archive, then clean up again.')
    expect(readdirSync(store.packs.folder).length).toBeGreaterThan(1)
  })
})
