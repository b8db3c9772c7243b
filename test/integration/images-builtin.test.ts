import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Image } from '#contract'
import { failureOf, scratchFolder, smallFileSystem } from '../support/scratch'
import { disk, hashOf, MiB, shelf } from '../support/shelf'

describe('the built-in guest', () => {
  function recipe(folder: string, hash: string): string {
    mkdirSync(folder, { recursive: true })
    disk(join(folder, 'base.qcow2'), 'qcow2')
    for (const file of ['vmlinux', 'initrd']) writeFileSync(join(folder, file), file)
    const manifest = { version: 1, recipeHash: hash.repeat(64), kernel: 'vmlinux', initrd: 'initrd', base: 'base.qcow2', baseFormat: 'qcow2', virtualSizeBytes: 4 * MiB, kernelRelease: '6.1.0-1-amd64', commandLine: 'quiet' }
    writeFileSync(join(folder, 'guest.json'), JSON.stringify(manifest))
    return folder
  }

  it('is brought in once, as other names for the same files', async () => {
    const builtinGuest = recipe(join(scratchFolder(), 'guest'), 'a')
    const { images, told, library } = await shelf({ builtinGuest })
    const [one, two] = await Promise.all([images.get('builtin'), images.get('builtin')])
    expect(one).toBe(two)
    expect(one).toMatchObject({ id: 'builtin-aaaaaaaa', name: 'builtin', kind: 'guest', format: 'qcow2', virtualSizeBytes: 4 * MiB })
    const home = join(library, 'images', 'builtin-aaaaaaaa')
    expect(one.boot).toEqual({ kernel: join(home, 'vmlinux'), initrd: join(home, 'initrd'), commandLine: 'quiet' })
    for (const file of ['vmlinux', 'initrd', 'base.qcow2']) expect(statSync(join(home, file)).ino).toBe(statSync(join(builtinGuest, file)).ino)
    expect(told).toHaveLength(1)
  })

  it('is copied where the library is on another file system', async ({ skip }) => {
    const small = smallFileSystem(16 * MiB)
    if (!small) return skip('mounting a file system needs root')
    const builtinGuest = recipe(join(scratchFolder(), 'guest'), 'a')
    const { images } = await shelf({ builtinGuest, library: join(small, 'library') })
    const image = await images.get('builtin')
    expect(hashOf(image.path)).toBe(hashOf(join(builtinGuest, 'base.qcow2')))
    expect(statSync(image.path).mode & 0o777).toBe(0o444)
  })

  it('in a new version takes the place of the old one, which stays for the machines on it', async () => {
    const builtinGuest = join(scratchFolder(), 'guest')
    const made = await shelf({ builtinGuest })
    const versions: Image[] = []
    for (const hash of ['a', 'b', 'c']) {
      recipe(builtinGuest, hash)
      versions.push(await made.images.get('builtin'))
      if (hash === 'b') made.users.set(versions[1]?.id ?? '', ['lab1'])
    }
    expect(made.images.list().map((image) => [image.id, image.name])).toEqual([['builtin-cccccccc', 'builtin'], ['builtin-bbbbbbbb', 'builtin-bbbbbbbb']])
    expect(existsSync(versions[1]?.path ?? '')).toBe(true)
    await made.images.load()
    expect(made.images.list().map((image) => image.name)).toEqual(['builtin', 'builtin-bbbbbbbb'])
  })

  it('is still there when the recipe’s folder is gone, and says what to do when it never was', async () => {
    const builtinGuest = recipe(join(scratchFolder(), 'guest'), 'a')
    const { images } = await shelf({ builtinGuest })
    const image = await images.get('builtin')
    renameSync(builtinGuest, `${builtinGuest}-away`)
    expect(await images.get('builtin')).toEqual(image)
    const other = await shelf()
    expect((await failureOf('not-found', other.images.get('builtin'))).next).toContain('npm run setup')
  })

  it('that is incomplete is refused and leaves nothing', async () => {
    const builtinGuest = recipe(join(scratchFolder(), 'guest'), 'a')
    rmSync(join(builtinGuest, 'initrd'))
    const { images, leftovers } = await shelf({ builtinGuest })
    await failureOf('bad-file', images.get('builtin'))
    expect(leftovers()).toEqual([])
  })
})
