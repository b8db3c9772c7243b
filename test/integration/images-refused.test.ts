import { execFileSync } from 'node:child_process'
import { appendFileSync, chmodSync, copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ImageFormat } from '#contract'
import { peek } from '#core/host/peek'
import { asNobody, failureOf, isRoot, smallFileSystem } from '../support/scratch'
import { disk, MiB, qemuImg, rawDisk, shelf, writer } from '../support/shelf'

describe('a file that cannot be used', () => {
  it('is refused when damaged, with the words of qemu-img', async () => {
    const { bring, folder, leftovers } = await shelf()
    const path = disk(join(folder, 'damaged.qcow2'), 'qcow2')
    const bytes = readFileSync(path)
    const refcountTable = Number(bytes.readBigUInt64BE(48))
    bytes.fill(0, Number(bytes.readBigUInt64BE(refcountTable)), Number(bytes.readBigUInt64BE(refcountTable)) + 64) // refcounts: nothing is in use
    writeFileSync(path, bytes)
    const error = await failureOf('bad-file', bring(path))
    expect(error.message).toBe(`“${path}” is damaged.`)
    expect(error.causes.join('\n')).toMatch(/ERROR cluster|refcount/)
    expect(leftovers()).toEqual([])
  })

  it('is taken when it only leaks clusters, which is said', async () => {
    const made = await shelf()
    const path = disk(join(made.folder, 'leaky.qcow2'), 'qcow2')
    const bytes = readFileSync(path)
    const refcounts = Number(bytes.readBigUInt64BE(Number(bytes.readBigUInt64BE(48))))
    const last = Math.ceil(bytes.length / 65536)
    writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(last * 65536 - bytes.length), Buffer.alloc(65536)]))
    const again = readFileSync(path)
    again.writeUInt16BE(1, refcounts + last * 2)
    writeFileSync(path, again)
    await made.bring(path)
    expect(made.seen.log.join()).toContain('leaked')
  })

  it('is refused when cut off or when its content is not what its header says', async () => {
    const { bring, folder } = await shelf()
    const path = disk(join(folder, 'cut.qcow2'), 'qcow2')
    truncateSync(path, 200)
    await failureOf('bad-file', bring(path))
    writeFileSync(path, Buffer.concat([Buffer.from('QFI\xfb\0\0\0\x03', 'latin1'), Buffer.alloc(100_000, 0x5a)]))
    await failureOf('bad-file', bring(path))
    const raw = rawDisk(join(folder, 'disk.raw'))
    expect((await failureOf('bad-file', bring(raw, { format: 'vdi' }))).causes.join()).toContain('vdi')
  })

  it('is refused when it is empty, a folder, a device, a pipe or not there', async () => {
    const { bring, folder, leftovers } = await shelf()
    writeFileSync(join(folder, 'empty'), '')
    execFileSync('mkfifo', [join(folder, 'pipe')])
    expect((await failureOf('bad-file', bring(join(folder, 'empty')))).message).toContain('is empty')
    expect((await failureOf('bad-file', bring(folder))).message).toContain('is a folder')
    expect((await failureOf('bad-file', bring('/dev/zero'))).message).toContain('is a device')
    expect((await failureOf('bad-file', bring(join(folder, 'pipe')))).message).toContain('is a pipe')
    expect((await failureOf('not-found', bring(join(folder, 'none')))).name).toBe(join(folder, 'none'))
    expect(leftovers()).toEqual([])
  })

  it.runIf(isRoot)('is refused when this user may not read it', async () => {
    const { folder } = await shelf()
    const path = disk(join(folder, 'secret.qcow2'), 'qcow2')
    chmodSync(folder, 0o755)
    chmodSync(path, 0o600)
    expect(await failureOf('file', asNobody(() => peek(path, 10, 10)))).toMatchObject({ path, errno: 'EACCES' })
  })

  it('is refused while another process writes to it', async () => {
    const { bring, folder } = await shelf()
    const path = disk(join(folder, 'busy.qcow2'), 'qcow2')
    await writer(path, 'qcow2')
    expect((await failureOf('in-use', bring(path))).causes.join()).toContain('lock')
  })

  it('is refused when it was changed while it was copied', async () => {
    const { bring, folder, leftovers } = await shelf()
    const path = rawDisk(join(folder, 'moving.raw'))
    await failureOf('bad-file', bring(path, {}, (phase) => phase === 'copying the image' && appendFileSync(path, 'more')))
    expect(leftovers()).toEqual([])
  })

  it('is refused when encrypted', async () => {
    const { bring, folder } = await shelf()
    encryptedDisk(join(folder, 'x.qcow2'))
    await failureOf('unsupported', bring(join(folder, 'x.qcow2')))
  })
})

/** qemu-img times its key derivation, and gives up where a busy computer lets it time nothing: then it is asked again. */
function encryptedDisk(path: string): void {
  const options = 'encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10'
  for (let tries = 5; ; tries--) {
    try {
      return void qemuImg('create', '-q', '-f', 'qcow2', '--object', 'secret,id=s,data=abc', '-o', options, path, '4M')
    } catch (error) {
      if (tries === 1 || !String(error).includes('CPU usage')) throw error
    }
  }
}

describe('names', () => {
  it('that the user chose must be free; others get a number', async () => {
    const { bring, folder } = await shelf()
    const path = disk(join(folder, 'disk.qcow2'), 'qcow2')
    expect((await bring(path)).name).toBe('disk')
    expect((await bring(path)).name).toBe('disk 2')
    await failureOf('already-exists', bring(path, { name: 'Disk' }))
    for (const name of ['none', 'Builtin']) await failureOf('already-exists', bring(path, { name }))
    const [one, two] = await Promise.allSettled([bring(path, { name: 'same' }), bring(path, { name: 'same' })])
    expect([one.status, two.status].sort()).toEqual(['fulfilled', 'rejected'])
  })

  it('come from file names of any kind', async () => {
    const { bring, folder } = await shelf()
    const source = disk(join(folder, 'disk.qcow2'), 'qcow2')
    for (const [file, name] of [['...', 'image'], ['[x] (1).tar.qcow2', 'x 1 .tar'], ['日本.qcow2', '日本'], ['a'.repeat(200) + '.img', 'a'.repeat(60)]] as const) {
      copyFileSync(source, join(folder, file))
      expect((await bring(join(folder, file))).name).toBe(name)
    }
  })
})

describe('an import that is cut off', () => {
  it('by cancelling leaves nothing behind', async () => {
    const { bring, folder, leftovers, images } = await shelf()
    const path = rawDisk(join(folder, 'disk.raw'), 64 * MiB)
    for (const at of ['looking at the file', 'checking the image', 'copying the image']) {
      const controller = new AbortController()
      const format: ImageFormat = at === 'checking the image' ? 'qcow2' : 'raw'
      const given = format === 'raw' ? path : disk(join(folder, 'disk.qcow2'), 'qcow2')
      await failureOf('cancelled', bring(given, {}, (phase) => phase === at && (at === 'copying the image' ? setTimeout(() => controller.abort(), 2) : controller.abort()), controller.signal))
    }
    expect(leftovers()).toEqual([])
    expect(images.list()).toEqual([])
  })

  it('by a full disk leaves nothing behind and says what was full', async ({ skip }) => {
    const small = smallFileSystem(8 * MiB)
    if (!small) return skip('mounting a file system needs root')
    const { bring, folder, leftovers } = await shelf({ library: join(small, 'library') })
    const flat = rawDisk(join(folder, 'big.raw'), 64 * MiB)
    writeFileSync(flat, Buffer.concat([readFileSync(flat).subarray(0, 512), Buffer.alloc(64 * MiB, 7)]))
    const error = await failureOf('no-space', bring(flat))
    expect(error.path).toContain(join(small, 'library'))
    expect(error.next).toContain('Free some space')
    qemuImg('convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=monolithicFlat', flat, join(folder, 'flat.vmdk'))
    await failureOf('no-space', bring(join(folder, 'flat.vmdk')))
    expect(leftovers()).toEqual([])
  })

  it('tells its progress when it becomes one file', async () => {
    const made = await shelf()
    const path = join(made.folder, 'f.vmdk')
    qemuImg('convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=monolithicFlat', rawDisk(join(made.folder, 'disk.raw'), 64 * MiB), path)
    await made.bring(path)
    expect(made.seen.phases).toEqual(['looking at the file', 'checking the image', 'copying the image'])
    const { ratios } = made.seen
    expect(ratios.length).toBeGreaterThan(3)
    expect(ratios.at(-1)).toBe(1)
    expect([...ratios].sort((a, b) => (a ?? 0) - (b ?? 0))).toEqual(ratios)
  })
})
