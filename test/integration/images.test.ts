import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Images } from '#core/disk/images'
import { buildIso } from '#core/disk/iso'
import { libraryPaths } from '#core/library/paths'
import { failureOf } from '../support/scratch'
import { disk, factsOf, hashOf, MiB, qemuImg, rawDisk, shelf } from '../support/shelf'

describe('a disk image that is copied', () => {
  it.each(['raw', 'qcow2', 'vmdk', 'vdi', 'vhdx', 'vpc'] as const)('keeps its bytes, and the original is not touched: %s', async (format) => {
    const { images, bring, folder, library } = await shelf()
    const path = disk(join(folder, `a disk, ü: ${format}.img`), format)
    const before = factsOf(path)
    const image = await bring(path)
    expect(factsOf(path)).toEqual(before)
    expect(image).toMatchObject({ name: `a disk ü ${format}`, kind: 'disk', format, referenced: false })
    expect(Math.abs(image.virtualSizeBytes - 4 * MiB)).toBeLessThan(MiB / 2) // VHD counts in cylinders
    expect(dirname(dirname(image.path))).toBe(join(library, 'images'))
    expect(statSync(image.path).mode & 0o777).toBe(0o444)
    expect(qemuImg('compare', '-f', format, '-F', format, path, image.path)).toContain('identical')
    expect(images.list()).toEqual([image])
    await images.verify(await images.get(image.id))
  })

  it('is found again by another owner of the library, by name and by id', async () => {
    const first = await shelf()
    const image = await first.bring(disk(join(first.folder, 'disk.qcow2'), 'qcow2'), { name: 'Büro 1' })
    expect(image.id).toMatch(/^bu-?ro-1-[0-9a-f]{6}$/)
    const again = new Images({ paths: libraryPaths(first.library), unfinished: () => Promise.reject(new Error('unused')) }, { builtinGuest: '', usedBy: () => [], onDidChange: () => {}, onDidRemove: () => {} })
    await again.load()
    expect(await again.get('Büro 1'.normalize('NFD'))).toEqual(image)
    expect(await again.get(image.id)).toEqual(image)
    await failureOf('not-found', again.get('other'))
  })

  it('takes no more space than its holes leave', async () => {
    const { bring, folder } = await shelf()
    const path = rawDisk(join(folder, 'sparse.img'), MiB)
    truncateSync(path, 1024 * MiB)
    const image = await bring(path)
    expect(image.virtualSizeBytes).toBe(1024 * MiB)
    expect(image.fileSizeBytes).toBeLessThan(4 * MiB)
    expect(statSync(image.path).blocks * 512).toBeLessThan(4 * MiB)
  })

  it('that looks like another format is raw when the user says so, for good', async () => {
    const { bring, folder, images } = await shelf()
    const path = disk(join(folder, 'inner.img'), 'qcow2')
    const size = Math.ceil(statSync(path).size / 512) * 512
    const image = await bring(path, { format: 'raw' })
    expect(image).toMatchObject({ format: 'raw', virtualSizeBytes: size })
    await images.load()
    expect((await images.get(image.id)).format).toBe('raw')
  })

  it('is told from an ISO and a cloud image', async () => {
    const { bring, folder } = await shelf()
    writeFileSync(join(folder, 'debian.iso'), buildIso('debian', [{ name: 'file', content: 'x' }], new Date()))
    const iso = await bring(join(folder, 'debian.iso'))
    expect(iso).toMatchObject({ kind: 'iso', format: 'raw', name: 'debian' })
    expect(basename(iso.path)).toBe('image.iso')
    expect(hashOf(iso.path)).toBe(hashOf(join(folder, 'debian.iso')))
    expect(await bring(disk(join(folder, 'debian-12-genericcloud-amd64.qcow2'), 'qcow2'))).toMatchObject({ kind: 'cloud', format: 'qcow2' })
    expect((await bring(disk(join(folder, 'own.qcow2'), 'qcow2'), { kind: 'cloud' })).kind).toBe('cloud')
  })
})

describe('an image that is referenced', () => {
  it('stays where it is, and a change of it is noticed', async () => {
    const { images, bring, folder } = await shelf()
    const path = disk(join(folder, 'mine ü.qcow2'), 'qcow2')
    const before = factsOf(path)
    const image = await bring(path, { reference: true })
    expect(image).toMatchObject({ referenced: true, path })
    expect(factsOf(path)).toEqual(before)
    const recorded = await images.get(image.id)
    await images.verify(recorded)
    utimesSync(path, 1, 1)
    expect((await failureOf('bad-file', images.verify(recorded))).message).toContain('was changed')
    rmSync(path)
    await failureOf('not-found', images.verify(recorded))
  })

  it('is left alone when it is removed from the library', async () => {
    const { images, bring, folder, leftovers } = await shelf()
    const path = disk(join(folder, 'mine.qcow2'), 'qcow2')
    const before = factsOf(path)
    await images.remove((await bring(path, { reference: true })).name)
    expect(factsOf(path)).toEqual(before)
    expect(images.list()).toEqual([])
    expect(leftovers()).toEqual([])
  })
})

describe('an image that needs other files', () => {
  it('is copied as one file that holds everything', async () => {
    const made = await shelf()
    const { bring, folder } = made
    const base = disk(join(folder, 'base, of: all.raw'), 'raw')
    const middle = join(folder, 'middle.qcow2')
    const top = join(folder, 'top.vm')
    qemuImg('create', '-q', '-f', 'qcow2', '-b', base, '-F', 'raw', middle)
    qemuImg('create', '-q', '-f', 'qcow2', '-b', 'middle.qcow2', '-F', 'qcow2', top, '8M')
    execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -P 0x77 5M 1M', top], { stdio: 'ignore' })
    const before = [base, middle, top].map(factsOf)
    const image = await bring(top)
    expect([base, middle, top].map(factsOf)).toEqual(before)
    expect(image).toMatchObject({ format: 'qcow2', virtualSizeBytes: 8 * MiB })
    expect(JSON.parse(qemuImg('info', '--output=json', image.path))).not.toHaveProperty('backing-filename')
    expect(qemuImg('compare', '-f', 'qcow2', '-F', 'qcow2', top, image.path)).toContain('identical')
    expect(made.seen.log).toEqual(['it needs other files: they become one'])
  })

  it('is copied whole from a qcow2 with a data file and from a VMDK of several files', async () => {
    const { bring, folder } = await shelf()
    const withData = disk(join(folder, 'd.qcow2'), 'qcow2', '-o', `data_file=${join(folder, 'data.raw')}`)
    const flat = disk(join(folder, 'f.vmdk'), 'vmdk', '-o', 'subformat=monolithicFlat')
    for (const [path, format] of [[withData, 'qcow2'], [flat, 'vmdk']] as const) {
      const image = await bring(path)
      expect(image.format).toBe('qcow2')
      expect(readdirSync(dirname(image.path)).sort()).toEqual(['image.json', 'image.qcow2'])
      expect(qemuImg('compare', '-f', format, '-F', 'qcow2', path, image.path)).toContain('identical')
    }
  })

  it('cannot be referenced', async () => {
    const { bring, folder, leftovers } = await shelf()
    disk(join(folder, 'base.qcow2'), 'qcow2')
    qemuImg('create', '-q', '-f', 'qcow2', '-b', 'base.qcow2', '-F', 'qcow2', join(folder, 'top.qcow2'))
    expect((await failureOf('unsupported', bring(join(folder, 'top.qcow2'), { reference: true }))).next).toContain('copy')
    expect(leftovers()).toEqual([])
  })

  it.each([
    ['absolute', (_folder: string, secret: string) => secret],
    ['going up', () => '../secret.raw'],
    ['behind a link', (folder: string, secret: string) => (symlinkSync(secret, join(folder, 'link.raw')), 'link.raw')]
  ])('outside its own folder is refused: %s', async (_how, backing) => {
    const { bring, folder } = await shelf()
    const inner = join(folder, 'download')
    mkdirSync(inner)
    const secret = rawDisk(join(folder, 'secret.raw'))
    const path = join(inner, 'image.qcow2')
    qemuImg('create', '-q', '-u', '-f', 'qcow2', '-b', backing(inner, secret), '-F', 'raw', path, '4M')
    expect((await failureOf('unsupported', bring(path))).message).toContain('is not in its folder')
  })

  it.each(['nbd://127.0.0.1:1/x', 'json:{"driver":"null-co"}', 'ssh://host/etc/passwd'])('over the network or made up is refused, and never opened: %s', async (backing) => {
    const { bring, folder } = await shelf()
    qemuImg('create', '-q', '-u', '-f', 'qcow2', '-b', backing, '-F', 'raw', join(folder, 'image.qcow2'), '4M')
    await failureOf('unsupported', bring(join(folder, 'image.qcow2')))
  })

  it('a VMDK that names a file of the host is refused', async () => {
    const { bring, folder } = await shelf()
    writeFileSync(join(folder, 'x.vmdk'), '# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 1 FLAT "/etc/hostname" 0\n')
    await failureOf('unsupported', bring(join(folder, 'x.vmdk')))
  })

  it('that are missing, or itself, is told', async () => {
    const { bring, folder } = await shelf()
    qemuImg('create', '-q', '-u', '-f', 'qcow2', '-b', 'gone.raw', '-F', 'raw', join(folder, 'a.qcow2'), '4M')
    expect((await failureOf('not-found', bring(join(folder, 'a.qcow2')))).name).toBe(join(folder, 'gone.raw'))
    qemuImg('create', '-q', '-u', '-f', 'qcow2', '-b', 'b.qcow2', '-F', 'qcow2', join(folder, 'b.qcow2'), '4M')
    expect((await failureOf('bad-file', bring(join(folder, 'b.qcow2')))).message).toContain('on itself')
  })
})

describe('the library’s own records', () => {
  it('that are damaged or newer keep the other images from nothing', async () => {
    const { images, bring, folder, library, users, leftovers } = await shelf()
    const good = await bring(disk(join(folder, 'good.qcow2'), 'qcow2'))
    const bad = await bring(join(folder, 'good.qcow2'))
    const newer = await bring(join(folder, 'good.qcow2'))
    mkdirSync(join(library, 'images', 'stray'))
    writeFileSync(join(library, 'images', 'file'), 'neither')
    writeFileSync(join(library, 'images', bad.id, 'image.json'), '{"schemaVersion": 1, "id"')
    writeFileSync(join(library, 'images', newer.id, 'image.json'), '{"schemaVersion": 2}')
    await images.load()
    const listed = images.list()
    expect(listed).toContainEqual(good)
    const damaged = listed.filter((image) => image.problem !== undefined)
    expect(damaged.map((image) => image.id).sort()).toEqual([bad.id, newer.id, 'stray', 'file'].sort())
    expect(damaged.every((image) => image.kind === 'unknown' && image.format === null)).toBe(true)
    const problemOf = (id: string): string | undefined => damaged.find((image) => image.id === id)?.problem
    expect(problemOf(bad.id)).toContain('it does not hold JSON')
    expect(problemOf(newer.id)).toContain('newer version')
    expect(problemOf('stray')).toContain('does not exist')
    await failureOf('bad-file', images.get(bad.id))
    users.set(newer.id, ['lab1'])
    await failureOf('in-use', images.remove(newer.id))
    for (const { id } of [bad, { id: 'stray' }, { id: 'file' }]) await images.remove(id)
    expect(leftovers().sort()).toEqual([good.id, newer.id].sort())
    expect(images.list().map((image) => image.id).sort()).toEqual([good.id, newer.id].sort())
  })

  it('of files that are taken away or changed say so until they are put back; a removal needs no file', async () => {
    const { images, bring, folder, told, leftovers } = await shelf()
    const path = disk(join(folder, 'mine.qcow2'), 'qcow2')
    const referenced = await bring(path, { reference: true })
    const copied = await bring(path)
    told.length = 0
    renameSync(path, `${path}.away`)
    rmSync(copied.path)
    expect((await images.look()).map(({ id, problem }) => ({ id, problem }))).toEqual([
      { id: referenced.id, problem: `“${path}” does not exist.` },
      { id: copied.id, problem: `“${copied.path}” does not exist.` }
    ])
    expect(told).toHaveLength(2)
    await images.look()
    expect(told).toHaveLength(2)
    renameSync(`${path}.away`, path)
    await images.look()
    expect(told.at(-1)).toEqual(referenced)
    utimesSync(path, 1, 1)
    expect((await images.look())[0]?.problem).toContain('was changed')
    await images.remove(referenced.id)
    await images.remove(copied.id)
    expect(leftovers()).toEqual([])
  })

  it('cannot be removed while a machine is being made on the image', async () => {
    const { images, bring, folder } = await shelf()
    await bring(disk(join(folder, 'disk.qcow2'), 'qcow2'))
    let begun = (): void => {}
    let finish = (): void => {}
    const making = new Promise<void>((resolve) => (begun = resolve))
    const used = images.use('disk', 'lab1', () => new Promise<void>((resolve) => ((finish = resolve), begun())))
    await making
    expect(await failureOf('in-use', images.remove('disk'))).toMatchObject({ holder: 'lab1 (being made)' })
    finish()
    await used
    const removed = images.remove('disk')
    await failureOf('not-found', images.use('disk', 'lab2', () => expect.fail('it is being removed')))
    await removed
  })

  it('cannot be removed while a machine stands on the image', async () => {
    const { images, bring, folder, users, leftovers } = await shelf()
    const image = await bring(disk(join(folder, 'disk.qcow2'), 'qcow2'))
    users.set(image.id, ['lab1', 'lab2'])
    expect(await failureOf('in-use', images.remove('disk'))).toMatchObject({ holder: 'lab1, lab2' })
    users.clear()
    await images.remove('disk')
    expect(leftovers()).toEqual([])
    await failureOf('not-found', images.remove('disk'))
  })
})
