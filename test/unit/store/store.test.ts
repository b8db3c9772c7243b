import { appendFileSync, copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { collectGarbage } from '#core/store/gc'
import { storeStats } from '#core/store/stats'
import { failureOf, scratchFolder, smallFileSystem } from '../../support/scratch'
import { bytesOf, digestOf, KiB, MiB, smallStore, writePieces } from '../../support/store'

function place(settings = {}) {
  const folder = scratchFolder()
  const store = smallStore(folder, settings)
  onTestFinished(() => store.close())
  const file = (name: string) => join(folder, name)
  const loaded = async (archive: string): Promise<string[]> => {
    const out = file(`out ${archive} ${Math.random()}`)
    mkdirSync(out)
    return store.get(archive, out)
  }
  return { folder, store, file, loaded }
}

describe('saving and loading', () => {
  it.each([4 * KiB, 16 * KiB, MiB])('gives files back byte for byte, with chunks of %i bytes', async (chunkBytes) => {
    const { store, file, loaded } = place({ chunkBytes })
    writePieces(file('a'), 3 * MiB + 17, [{ at: 5, seed: 'a', bytes: 100 * KiB }, { at: 2 * MiB, seed: 'b', bytes: MiB + 17 }])
    writePieces(file('zeros'), 5 * MiB, [])
    writeFileSync(file('empty'), '')
    writeFileSync(file('small'), 'x')
    const names = ['a', 'zeros', 'empty', 'small']
    await store.put('all', names.map((name) => ({ name, path: file(name) })))
    const paths = await loaded('all')
    expect(paths.map(digestOf)).toEqual(names.map((name) => digestOf(file(name))))
    expect(statSync(paths[1]!).blocks).toBe(0)
  })

  it('stores what is the same once, and zeros not at all', async () => {
    const { store, file } = place()
    writePieces(file('a'), 64 * MiB, [{ at: 0, seed: 'a', bytes: MiB }])
    writePieces(file('b'), 64 * MiB, [{ at: 8 * MiB, seed: 'a', bytes: MiB }, { at: 20 * MiB, seed: 'b', bytes: 4 * KiB }])
    const a = await store.put('a', [{ name: 'disk', path: file('a') }])
    const b = await store.put('b', [{ name: 'disk', path: file('b') }])
    expect(a.files[0]!.dataBytes).toBe(MiB)
    expect(a.addedBytes).toBeLessThan(MiB)
    expect(b.addedBytes).toBeLessThan(8 * KiB)
    expect(await storeStats(store)).toMatchObject({ logicalBytes: 128 * MiB, chunks: 257, unusedBytes: 0 })
  })

  it('reads any part of a file', async () => {
    const { store, file } = place()
    writePieces(file('a'), 2 * MiB + 100, [{ at: 3000, seed: 'a', bytes: 300 * KiB }, { at: 2 * MiB, seed: 'c', bytes: 100 }])
    await store.put('a', [{ name: 'ram', path: file('a') }])
    const whole = readFileSync(file('a'))
    for (const [offset, length] of [[0, 1], [2999, 9000], [300 * KiB, 70 * KiB], [2 * MiB + 50, 50], [0, whole.length], [MiB, 0]] as const) {
      expect((await store.read('a', 'ram', offset, length)).equals(whole.subarray(offset, offset + length)), `${offset} ${length}`).toBe(true)
    }
    await failureOf('bad-input', store.read('a', 'ram', 2 * MiB, 101))
    await failureOf('not-found', store.read('a', 'disk', 0, 1))
  })

  it('does not read a sealed file again that nobody has touched', async () => {
    const { store, file, loaded } = place()
    const old = '/usr/bin/env'
    copyFileSync(old, file('a'))
    const origin = async (name: string, path: string, sealed: boolean) => {
      await store.put(name, [{ name: 'a', path, sealed }])
      return (await store.archives.read(name)).head.files[0]!.origin
    }
    expect(await origin('fresh', file('a'), true)).toBeUndefined() // just made: another change might leave the same time
    expect(await origin('open', old, false)).toBeUndefined()
    expect(await origin('old', old, true)).toMatchObject({ sizeBytes: statSync(old).size })
    expect(await origin('again', old, true)).toEqual(await origin('third', old, true))
    expect((await loaded('again')).map(digestOf)).toEqual([digestOf(old)])
  })

  it('keeps archives with chunks of several sizes', async () => {
    let chunkBytes = 4 * KiB
    const folder = scratchFolder()
    const store = smallStore(folder)
    onTestFinished(() => store.close())
    Object.defineProperty(store, 'currentSettings', { get: () => ({ chunkBytes, frameBytes: 64 * KiB, level: 1, packBytes: MiB }) })
    writePieces(join(folder, 'a'), MiB, [{ at: 0, seed: 'a', bytes: MiB }])
    await store.put('small', [{ name: 'a', path: join(folder, 'a') }])
    chunkBytes = 64 * KiB
    await store.put('big', [{ name: 'a', path: join(folder, 'a') }])
    await store.remove('small')
    await collectGarbage(store)
    expect((await store.read('big', 'a', 0, MiB)).equals(readFileSync(join(folder, 'a')))).toBe(true)
    expect(await storeStats(store)).toMatchObject({ chunks: 16, packs: 1 })
  })

  it('takes any name, each once', async () => {
    const { store, file } = place()
    writeFileSync(file('a'), 'content')
    for (const name of ['Ünïcode / ..', '..', 'x'.repeat(3000)]) await store.put(name, [{ name: 'a', path: file('a') }])
    expect((await store.list()).map((one) => one.head?.name.length)).toHaveLength(3)
    await failureOf('already-exists', store.put('..', [{ name: 'a', path: file('a') }]))
    writeFileSync(file('a'), 'changed')
    await store.put('..', [{ name: 'a', path: file('a') }], { replace: true })
    expect((await store.read('..', 'a', 0, 7)).toString()).toBe('changed')
    await failureOf('bad-input', store.put('z', [{ name: '../a', path: file('a') }]))
  })
})

describe('what does not succeed', () => {
  it('leaves nothing when it is cancelled', async () => {
    const { store, file } = place()
    writePieces(file('a'), 32 * MiB, [{ at: 0, seed: 'a', bytes: 32 * MiB }])
    const controller = new AbortController()
    await failureOf('cancelled', store.put('a', [{ name: 'a', path: file('a') }], { signal: controller.signal, progress: () => controller.abort() }))
    expect(await store.list()).toEqual([])
    expect(readdirSync(store.packs.folder).filter((name) => name.endsWith('.part'))).toEqual([])
    await collectGarbage(store)
    expect(readdirSync(store.packs.folder)).toEqual([])
  })

  it('says when a file changes while it is saved', async () => {
    const { store, file } = place()
    writePieces(file('a'), 16 * MiB, [{ at: 0, seed: 'a', bytes: 16 * MiB }])
    const error = await failureOf('bad-file', store.put('a', [{ name: 'a', path: file('a') }], { progress: () => appendFileSync(file('a'), 'x') }))
    expect(error.message).toContain('was changed while it was being saved')
    expect(await store.list()).toEqual([])
  })

  it('loads all or nothing', async () => {
    const { store, file, folder } = place()
    writeFileSync(file('a'), 'a')
    writeFileSync(file('b'), 'b')
    await store.put('both', [{ name: 'a', path: file('a') }, { name: 'b', path: file('b') }])
    mkdirSync(file('out'))
    writeFileSync(join(folder, 'out/b'), 'mine')
    await failureOf('file', store.get('both', file('out')))
    expect(readdirSync(file('out'))).toEqual(['b'])
    expect(readFileSync(join(folder, 'out/b'), 'utf8')).toBe('mine')
  })

  it('survives a full disk, and goes on when there is space again', async (test) => {
    const full = smallFileSystem(4 * MiB)
    if (!full) return test.skip('needs the right to mount')
    const source = scratchFolder()
    const store = smallStore(full)
    onTestFinished(() => store.close())
    const sources = ['a', 'b'].map((name) => ({ name, path: join(source, name) }))
    writePieces(sources[0]!.path, MiB, [{ at: 0, seed: 'a', bytes: MiB }])
    writePieces(sources[1]!.path, 40 * MiB, [{ at: 0, seed: 'b', bytes: 40 * MiB }])
    await store.put('a', [sources[0]!])
    await failureOf('no-space', store.put('b', [sources[1]!]))
    const out = join(full, 'out')
    mkdirSync(out)
    await store.put('many', ['c', 'd', 'e', 'f', 'g'].map((name) => ({ name, path: sources[0]!.path })))
    await failureOf('no-space', store.get('many', out))
    expect(readdirSync(out)).toEqual([])
    expect((await store.list()).map((one) => one.head?.name).sort()).toEqual(['a', 'many'])
    expect((await store.read('a', 'a', 0, MiB)).equals(readFileSync(sources[0]!.path))).toBe(true)
    await store.remove('many')
    await collectGarbage(store)
    writePieces(sources[1]!.path, MiB, [{ at: 0, seed: 'b', bytes: 64 * KiB }])
    await store.put('b', [sources[1]!])
    expect((await store.read('b', 'b', 0, MiB)).equals(readFileSync(sources[1]!.path))).toBe(true)
  })
})

describe('several at once', () => {
  it('lets writers wait for each other, and a waiting one be cancelled', async () => {
    const { store, file, loaded } = place()
    for (const name of ['a', 'b', 'c']) writePieces(file(name), 4 * MiB, [{ at: 0, seed: name, bytes: 4 * MiB }])
    const controller = new AbortController()
    const puts = [store.put('a', [{ name: 'a', path: file('a') }]), store.put('b', [{ name: 'b', path: file('b') }], { signal: controller.signal }), store.put('c', [{ name: 'c', path: file('c') }])]
    controller.abort()
    await failureOf('cancelled', puts[1]!)
    await Promise.all([puts[0], puts[2]])
    expect((await store.list()).map((one) => one.head?.name).sort()).toEqual(['a', 'c'])
    expect((await loaded('c')).map(digestOf)).toEqual([digestOf(file('c'))])
  })

  it('refuses a second process that wants to write, and lets it read', async () => {
    const { store, file, folder } = place()
    writePieces(file('a'), MiB, [{ at: 0, seed: 'a', bytes: MiB }])
    await store.put('a', [{ name: 'a', path: file('a') }])
    const other = smallStore(folder)
    onTestFinished(() => other.close())
    await store.asWriter(undefined, async () => {
      await failureOf('in-use', other.put('b', [{ name: 'a', path: file('a') }]))
      expect((await other.read('a', 'a', 0, 100)).equals(bytesOf('a', 100))).toBe(true)
    })
  })

  it('gives readers what they ask for while savings and clean-ups go on', async () => {
    const { store, file, folder } = place({ packBytes: 256 * KiB })
    writePieces(file('a'), 2 * MiB, [{ at: 0, seed: 'a', bytes: 2 * MiB }])
    const content = readFileSync(file('a'))
    await store.put('keep', [{ name: 'a', path: file('a') }])
    const reader = smallStore(folder)
    let over = false
    const read = async (): Promise<number> => {
      let times = 0
      for (; !over || times === 0; times++) {
        const offset = (times * 7777) % MiB
        expect((await reader.read('keep', 'a', offset, 200 * KiB)).equals(content.subarray(offset, offset + 200 * KiB))).toBe(true)
      }
      return times
    }
    const reading = read()
    for (let i = 0; i < 6; i++) {
      writePieces(file('b'), 2 * MiB, [{ at: 0, seed: `b${i}`, bytes: 128 * KiB }, { at: MiB, seed: 'a', bytes: 512 * KiB }])
      await Promise.all([store.put(`b${i}`, [{ name: 'b', path: file('b') }]), collectGarbage(store)])
      await store.remove(`b${i}`)
      await collectGarbage(store)
    }
    over = true
    expect(await reading).toBeGreaterThan(0)
    await reader.close()
  })
})
