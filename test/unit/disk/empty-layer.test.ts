import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LARGEST_DISK_BYTES } from '#contract'
import { createEmptyLayer } from '#core/disk/empty-layer'
import { neverHeldAnything } from '#core/disk/fingerprint'
import { failureOf, scratchFolder } from '../../support/scratch'

const info = (path: string): Record<string, unknown> => JSON.parse(execFileSync('qemu-img', ['info', '--output=json', path], { encoding: 'utf8' })) as Record<string, unknown>

describe('an empty layer', () => {
  it.each([512, 2 ** 30, 700 * 2 ** 30 + 512, 9 * 2 ** 40, LARGEST_DISK_BYTES])('of %i bytes is what qemu-img takes for a sound qcow2 file', async (sizeBytes) => {
    const path = join(scratchFolder(), 'layer.qcow2')
    await createEmptyLayer(path, sizeBytes, null)
    expect(execFileSync('qemu-img', ['check', path], { encoding: 'utf8' })).toContain('No errors')
    expect(info(path)).toMatchObject({ format: 'qcow2', 'virtual-size': sizeBytes })
    expect(await neverHeldAnything(path)).toBe(true)
    expect(Number(info(path)['actual-size'])).toBeLessThan(64 * 1024)
  })

  it('names what it stands on, and reads as that', async () => {
    const folder = scratchFolder()
    const [base, path] = [join(folder, 'bäse, image.raw'), join(folder, 'layer.qcow2')]
    execFileSync('dd', ['if=/dev/urandom', `of=${base}`, 'bs=1M', 'count=3'], { stdio: 'ignore' })
    await createEmptyLayer(path, 3 * 2 ** 20, { path: base, format: 'raw' })
    expect(info(path)).toMatchObject({ 'backing-filename': base, 'backing-filename-format': 'raw' })
    execFileSync('qemu-img', ['compare', '-f', 'raw', '-F', 'qcow2', base, path])
    execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -P 7 1M 1M', path])
    expect(execFileSync('qemu-img', ['check', path], { encoding: 'utf8' })).toContain('No errors')
  })

  it('of 5 TiB on another is sound, and grows by what is written, not by what lies around it', async () => {
    const folder = scratchFolder()
    const [base, path] = [join(folder, 'base.qcow2'), join(folder, 'layer.qcow2')]
    const sizeBytes = 5 * 2 ** 40
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', base, String(sizeBytes)])
    execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 1 0 8M', base])
    await createEmptyLayer(path, sizeBytes, { path: base, format: 'qcow2' })
    const writes = Array.from({ length: 64 }, (_, n) => ['-c', `write -q -P 2 ${n * 128 + 4}k 4k`]).flat()
    execFileSync('qemu-io', ['-f', 'qcow2', ...writes, '-c', `write -q -P 3 ${sizeBytes - 4096} 4096`, path])
    expect(Number(info(path)['actual-size'])).toBeLessThan(2 ** 20) // 64 clusters would be 4 MiB
    for (const [letter, at] of [[1, 0], [2, 4096], [1, 8192], [3, sizeBytes - 4096]]) {
      expect(execFileSync('qemu-io', ['-f', 'qcow2', '-r', '-c', `read -P ${letter} ${at} 4096`, path], { encoding: 'utf8' })).not.toContain('failed')
    }
    expect(execFileSync('qemu-img', ['check', path], { encoding: 'utf8' })).toContain('No errors')
  })

  it('can be as large as a disk can be, also on another', async () => {
    const folder = scratchFolder()
    const [base, path] = [join(folder, 'base.qcow2'), join(folder, 'layer.qcow2')]
    await createEmptyLayer(base, LARGEST_DISK_BYTES, null)
    await createEmptyLayer(path, LARGEST_DISK_BYTES, { path: base, format: 'qcow2' })
    execFileSync('qemu-io', ['-f', 'qcow2', '-c', `write -q -P 3 ${LARGEST_DISK_BYTES - 4096} 4096`, path])
    expect(execFileSync('qemu-img', ['check', path], { encoding: 'utf8' })).toContain('No errors')
    expect((await failureOf('unsupported', createEmptyLayer(join(folder, 'more'), LARGEST_DISK_BYTES + 512, null))).message).toContain('1024 TiB')
  })

  it('does not take the place of another file', async () => {
    const path = join(scratchFolder(), 'layer.qcow2')
    await createEmptyLayer(path, 2 ** 20, null)
    expect(await failureOf('already-exists', createEmptyLayer(path, 2 ** 20, null))).toMatchObject({ name: path })
  })
})
