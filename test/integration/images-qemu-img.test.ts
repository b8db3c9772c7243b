import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { convertImage, createDisk, createOverlay, imageInfo } from '#core/disk/qemu-img'
import { asWork } from '#core/task/work'
import { failureOf, scratchFolder, smallFileSystem } from '../support/scratch'
import { disk, factsOf, MiB, qemuImg, rawDisk, writer } from '../support/shelf'

/** Names that a careless caller would have QEMU read as options, protocols or patterns. */
const ODD = ['a b', 'a,b=c', 'nbd:localhost:1', 'ü 日本', '%d', "it's", '-f', 'x#y']
const qemuIo = (path: string, ...commands: string[]): string =>
  execFileSync('qemu-io', ['-f', 'qcow2', ...commands.flatMap((command) => ['-c', command]), `file:${path}`], { encoding: 'utf8' })

describe('a new disk', () => {
  it.each(ODD)('is made under any name: %s', async (name) => {
    const folder = scratchFolder()
    const path = join(folder, `${name}.qcow2`)
    await createDisk(path, 10 * MiB)
    expect(await imageInfo({ path, format: 'qcow2' })).toMatchObject({ virtualSizeBytes: 10 * MiB })
    expect(readdirSync(folder)).toEqual([`${name}.qcow2`])
  })

  it('never replaces a file, and what failed leaves none', async () => {
    const folder = scratchFolder()
    const path = join(folder, 'disk.qcow2')
    writeFileSync(path, 'precious')
    await failureOf('already-exists', createDisk(path, MiB))
    expect(statSync(path).size).toBe(8)
    await failureOf('program-failed', createDisk(join(folder, 'huge.qcow2'), 2 ** 62))
    expect(readdirSync(folder)).toEqual(['disk.qcow2'])
    await failureOf('program-failed', createDisk(join(folder, 'none', 'disk.qcow2'), MiB))
  })

  it('on a full disk says so and leaves nothing', async ({ skip }) => {
    const small = smallFileSystem(64 * 1024)
    if (!small) return skip('mounting a file system needs root')
    expect((await failureOf('no-space', createDisk(join(small, 'disk.qcow2'), MiB))).path).toBe(join(small, 'disk.qcow2'))
    expect(readdirSync(small)).toEqual([])
  })
})

describe('an overlay', () => {
  it.each(ODD)('shows its base and leaves it as it is: %s', async (name) => {
    const folder = scratchFolder()
    mkdirSync(join(folder, name))
    const base = disk(join(folder, name, `${name}.img`), 'qcow2')
    const before = factsOf(base)
    const overlay = join(folder, name, 'overlay.qcow2')
    await createOverlay(overlay, { path: base, format: 'qcow2' }, 8 * MiB)
    const output = qemuIo(overlay, 'write -P 0x99 1M 1M', 'read -P 0x99 1M 1M', 'read -P 0 5M 1M', 'read -v 65536 16')
    expect(output).toContain('block.65536.')
    expect(output).not.toContain('verification failed')
    expect(factsOf(base)).toEqual(before)
    const info = JSON.parse(qemuImg('info', '--output=json', `file:${overlay}`)) as Record<string, unknown>
    expect(info).toMatchObject({ 'backing-filename': base, 'backing-filename-format': 'qcow2', 'virtual-size': 8 * MiB })
  })

  it.each(['raw', 'vmdk', 'vdi', 'vhdx', 'vpc'] as const)('stands on any format: %s', async (format) => {
    const folder = scratchFolder()
    const base = disk(join(folder, 'base'), format)
    await createOverlay(join(folder, 'overlay.qcow2'), { path: base, format }, 8 * MiB)
    expect(qemuIo(join(folder, 'overlay.qcow2'), 'read -v 65536 16')).toContain('block.65536.')
  })

  it('on a base of the wrong format is refused', async () => {
    const folder = scratchFolder()
    await failureOf('program-failed', createOverlay(join(folder, 'o.qcow2'), { path: rawDisk(join(folder, 'base')), format: 'qcow2' }, 8 * MiB))
    expect(readdirSync(folder)).toEqual(['base'])
  })
})

describe('a conversion', () => {
  it.each(ODD)('copies everything and grows: %s', async (name) => {
    const folder = scratchFolder()
    const from = disk(join(folder, `${name}.img`), 'vmdk')
    const to = join(folder, `${name}.new`)
    await asWork((work) => convertImage({ path: from, format: 'vmdk' }, { path: to, format: 'qcow2', sizeBytes: 16 * MiB }, work))
    expect((await imageInfo({ path: to, format: 'qcow2' })).virtualSizeBytes).toBe(16 * MiB)
    expect(qemuIo(to, 'read -v 65536 16')).toContain('block.65536.')
  })

  it('cancelled in the middle leaves nothing', async () => {
    const folder = scratchFolder()
    const from = rawDisk(join(folder, 'from.raw'), 256 * MiB)
    const to = join(folder, 'to.qcow2')
    const controller = new AbortController()
    let begun = false
    await failureOf(
      'cancelled',
      asWork(
        (work) =>
          convertImage({ path: from, format: 'raw' }, { path: to, format: 'qcow2' }, {
            ...work,
            progress: (ratio) => {
              if (ratio === null || ratio === 0 || begun) return
              begun = existsSync(`${to}.part`)
              controller.abort()
            }
          }),
        controller.signal
      )
    )
    expect(begun).toBe(true)
    expect(readdirSync(folder)).toEqual(['from.raw'])
  })

  it('onto a full disk says so and leaves nothing', async ({ skip }) => {
    const small = smallFileSystem(2 * MiB)
    if (!small) return skip('mounting a file system needs root')
    const from = rawDisk(join(scratchFolder(), 'from.raw'), 16 * MiB)
    const error = await failureOf('no-space', asWork((work) => convertImage({ path: from, format: 'raw' }, { path: join(small, 'to.qcow2'), format: 'qcow2' }, work)))
    expect(error.path).toBe(join(small, 'to.qcow2'))
    expect(readdirSync(small)).toEqual([])
  })

  it('of an image that another process writes to is refused', async () => {
    const folder = scratchFolder()
    const from = disk(join(folder, 'from.qcow2'), 'qcow2')
    await writer(from, 'qcow2')
    await failureOf('in-use', asWork((work) => convertImage({ path: from, format: 'qcow2' }, { path: join(folder, 'to.raw'), format: 'raw' }, work)))
  })
})
