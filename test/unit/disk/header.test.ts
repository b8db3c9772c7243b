import { describe, expect, test } from 'vitest'
import { readHeader } from '#core/disk/header'
import { failureOf } from '../../support/scratch'

const NONE = Buffer.alloc(512)

/** A qcow2 header as QEMU writes it: version 3, extensions, then the name of the backing file. */
function qcow2(options: { backing?: string; extensions?: [number, string][]; incompatible?: bigint; crypt?: number; version?: number } = {}): Buffer {
  const { backing = '', extensions = [], incompatible = 0n, crypt = 0, version = 3 } = options
  const header = Buffer.alloc(version === 3 ? 104 : 72)
  header.write('QFI\xfb', 'latin1')
  header.writeUInt32BE(version, 4)
  header.writeUInt32BE(16, 20)
  header.writeUInt32BE(crypt, 32)
  if (version === 3) {
    header.writeBigUInt64BE(incompatible, 72)
    header.writeUInt32BE(104, 100)
  }
  const parts = [...extensions, [0, ''] as [number, string]].map(([type, text]) => {
    const extension = Buffer.alloc(8 + Math.ceil(Buffer.byteLength(text) / 8) * 8)
    extension.writeUInt32BE(type, 0)
    extension.writeUInt32BE(Buffer.byteLength(text), 4)
    extension.write(text, 8)
    return extension
  })
  const before = Buffer.concat([header, ...parts])
  if (backing !== '') {
    before.writeBigUInt64BE(BigInt(before.length), 8)
    before.writeUInt32BE(Buffer.byteLength(backing), 16)
  }
  return Buffer.concat([before, Buffer.from(backing), Buffer.alloc(512)])
}

describe('a qcow2 header', () => {
  test('of an image that stands alone names nothing', () => {
    for (const version of [2, 3]) {
      expect(readHeader('x', 'qcow2', qcow2({ version }), NONE)).toEqual({ backing: null, dataFile: null, extents: [], encrypted: false })
    }
  })

  test('names the backing file, with its format when that is recorded', () => {
    expect(readHeader('x', 'qcow2', qcow2({ backing: 'bäse, 1.raw', extensions: [[0x6803f857, 'feature names, which are skipped'], [0xe2792aca, 'raw']] }), NONE).backing).toEqual({
      name: 'bäse, 1.raw',
      format: 'raw'
    })
    expect(readHeader('x', 'qcow2', qcow2({ backing: '/etc/passwd', version: 2 }), NONE).backing).toEqual({ name: '/etc/passwd', format: null })
  })

  test('tells a data file only when it is used, and encryption', () => {
    const extensions: [number, string][] = [[0x44415441, 'data.raw']]
    expect(readHeader('x', 'qcow2', qcow2({ extensions, incompatible: 4n }), NONE).dataFile).toBe('data.raw')
    expect(readHeader('x', 'qcow2', qcow2({ extensions }), NONE).dataFile).toBeNull()
    expect(readHeader('x', 'qcow2', qcow2({ crypt: 2 }), NONE).encrypted).toBe(true)
  })

  test('that ends too early, or points far away, is damage and no crash', async () => {
    const whole = qcow2({ backing: 'base', extensions: [[0xe2792aca, 'raw']] })
    for (let bytes = 4; bytes < whole.indexOf('base') + 4; bytes++) await failureOf('bad-file', () => readHeader('x', 'qcow2', whole.subarray(0, bytes), NONE))
    const far = qcow2({ backing: 'base' })
    far.writeBigUInt64BE(2n ** 63n, 8)
    await failureOf('bad-file', () => readHeader('x', 'qcow2', far, NONE))
    const endless = qcow2({ extensions: [[1, 'x']] })
    endless.writeUInt32BE(0xffffffff, 108)
    await failureOf('bad-file', () => readHeader('x', 'qcow2', endless, NONE))
  })

  test('of random bytes never does worse than that', async () => {
    let seed = 12345
    const random = (): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % 256
    for (let round = 0; round < 2000; round++) {
      const start = Buffer.from(Array.from({ length: 300 }, random))
      start.write('QFI\xfb', 'latin1')
      try {
        readHeader('x', 'qcow2', start, NONE)
      } catch (error) {
        await failureOf('bad-file', () => {
          throw error
        })
      }
    }
  })
})

describe('a VMDK', () => {
  const DESCRIPTOR = [
    '# Disk DescriptorFile',
    'createType="twoGbMaxExtentFlat"',
    'RW 4192256 FLAT "lab-f001.vmdk" 0',
    'RW 20480 FLAT "../elsewhere.vmdk" 0',
    'NOACCESS 5 ZERO',
    'parentFileNameHint="parent.vmdk"'
  ].join('\n')

  test('of several files names them and its parent', () => {
    expect(readHeader('x', 'vmdk', Buffer.from(DESCRIPTOR), NONE)).toEqual({
      backing: { name: 'parent.vmdk', format: 'vmdk' },
      dataFile: null,
      extents: ['lab-f001.vmdk', '../elsewhere.vmdk'],
      encrypted: false
    })
  })

  test('in one file holds its own extent, and may have a parent', () => {
    const sparse = Buffer.alloc(4096)
    sparse.write('KDMV')
    sparse.writeBigUInt64LE(1n, 28)
    sparse.writeBigUInt64LE(2n, 36)
    sparse.write('# Disk DescriptorFile\nRW 20480 SPARSE "own.vmdk"\n', 512)
    expect(readHeader('x', 'vmdk', sparse, NONE)).toMatchObject({ extents: [], backing: null })
    sparse.write('# Disk DescriptorFile\nparentFileNameHint="/other/base.vmdk"\n', 512)
    expect(readHeader('x', 'vmdk', sparse, NONE).backing).toEqual({ name: '/other/base.vmdk', format: 'vmdk' })
  })
})

test('a VHD that stands on another one is refused, as QEMU would show wrong data', async () => {
  const footer = Buffer.alloc(512)
  footer.write('conectix')
  footer.writeUInt32BE(3, 60)
  expect(readHeader('x', 'vpc', NONE, footer).backing).toBeNull()
  footer.writeUInt32BE(4, 60)
  await failureOf('unsupported', () => readHeader('x', 'vpc', NONE, footer))
})
