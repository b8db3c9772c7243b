import { describe, expect, test } from 'vitest'
import { END_BYTES, formatOf, recognise, START_BYTES, type Recognised, type Said } from '#core/disk/recognise'
import type { Peek } from '#core/host/peek'
import { failureOf } from '../../support/scratch'

/** A file of 256 KiB with marks in it. */
function file(...marks: [offset: number, text: string][]): Peek {
  const bytes = Buffer.alloc(256 * 1024)
  for (const [offset, text] of marks) bytes.write(text, offset < 0 ? bytes.length + offset : offset, 'latin1')
  return { sizeBytes: bytes.length, start: bytes.subarray(0, START_BYTES), end: bytes.subarray(-END_BYTES) }
}
const told = (given: Peek, name = 'disk.img', said: Said = {}): Recognised => recognise(`/x/${name}`, name, given, said)

describe('the content tells', () => {
  test.each([
    ['qcow2', 0, 'QFI\xfb\0\0\0\x03'],
    ['vmdk', 0, 'KDMV'],
    ['vmdk', 0, '# Disk DescriptorFile\n'],
    ['vdi', 0x40, '\x7f\x10\xda\xbe'],
    ['vhdx', 0, 'vhdxfile'],
    ['vpc', 0, 'conectix'],
    ['vpc', -512, 'conectix'],
    ['raw', 510, '\x55\xaa'],
    ['raw', 512, 'EFI PART'],
    ['raw', 1080, '\x53\xef'],
    ['raw', 0x10040, '_BHRfS_M']
  ] as const)('%s (mark at %i)', (format, offset, mark) => {
    expect(told(file([offset, mark]))).toEqual({ format, kind: 'disk' })
  })

  test('an ISO, also one that can be written to a USB stick, whatever its name', () => {
    expect(told(file([32769, 'CD001']))).toEqual({ format: 'raw', kind: 'iso' })
    expect(told(file([32769, 'CD001'], [510, '\x55\xaa']), 'hybrid.img')).toEqual({ format: 'raw', kind: 'iso' })
    expect(told(file([32769, 'BEA01'], [34817, 'NSR03']))).toEqual({ format: 'raw', kind: 'iso' })
  })

  test('a blank disk is a disk', () => {
    expect(told(file())).toEqual({ format: 'raw', kind: 'disk' })
    expect(formatOf(Buffer.alloc(0), Buffer.alloc(0))).toBeNull()
  })
})

describe('a cloud image', () => {
  test.each([
    'debian-12-genericcloud-amd64.qcow2', 'debian-12-generic-amd64-20250101.qcow2', 'noble-server-cloudimg-amd64.img', 'Fedora-Cloud-Base-Generic-41-1.4.x86_64.qcow2',
    'AlmaLinux-9-GenericCloud-latest.x86_64.qcow2', 'Arch-Linux-x86_64-cloudimg.qcow2', 'nocloud_alpine-3.21.0-x86_64-bios-cloudinit-r0.qcow2', 'openSUSE-Leap-15.6.x86_64-NoCloud.qcow2'
  ])('is told by its maker’s name: %s', (name) => {
    expect(told(file([0, 'QFI\xfb\0\0\0\x03']), name).kind).toBe('cloud')
  })

  test.each(['debian-12-nocloud-amd64.qcow2', 'windows-11.vhdx', 'generic.qcow2', 'my disk.img'])('is not every image: %s', (name) => {
    expect(told(file([0, 'QFI\xfb\0\0\0\x03']), name).kind).toBe('disk')
  })

  test('is what the user says it is', () => {
    expect(told(file([0, 'QFI\xfb\0\0\0\x03']), 'a.qcow2', { kind: 'cloud' }).kind).toBe('cloud')
    expect(told(file([0, 'QFI\xfb\0\0\0\x03']), 'cloudimg.qcow2', { kind: 'disk' }).kind).toBe('disk')
    expect(told(file([32769, 'CD001'], [510, '\x55\xaa']), 'usb.img', { kind: 'disk' })).toEqual({ format: 'raw', kind: 'disk' })
  })
})

describe('what the user says', () => {
  test('a raw image whose first bytes look like another format is raw only when said so', () => {
    const looksLikeQcow2 = file([0, 'QFI\xfb\0\0\0\x03'])
    expect(told(looksLikeQcow2).format).toBe('qcow2')
    expect(told(looksLikeQcow2, 'a', { format: 'raw' })).toEqual({ format: 'raw', kind: 'disk' })
  })

  test('a file without any mark is a raw disk only when said so', async () => {
    const text = file([0, 'Dear reader'])
    expect((await failureOf('bad-file', () => told(text, 'letter.txt'))).next).toContain('raw')
    expect(told(text, 'letter.txt', { format: 'raw' })).toEqual({ format: 'raw', kind: 'disk' })
  })

  test('must not contradict itself or the content', async () => {
    expect((await failureOf('bad-input', () => told(file([0, 'QFI\xfb']), 'a.iso', { kind: 'iso' }))).field).toBe('kind')
    expect((await failureOf('bad-input', () => told(file([32769, 'CD001']), 'a.iso', { kind: 'iso', format: 'qcow2' }))).field).toBe('format')
    expect(told(file([32769, 'CD001']), 'a.iso', { kind: 'iso', format: 'raw' })).toEqual({ format: 'raw', kind: 'iso' })
  })
})

describe('what is refused, with what to do', () => {
  test.each([
    [0, '\x1f\x8b\x08', 'gunzip'],
    [0, '\xfd7zXZ\0', 'unxz'],
    [0, '\x28\xb5\x2f\xfd', 'unzstd'],
    [0, 'BZh9', 'bunzip2'],
    [0, 'PK\x03\x04', 'unzip'],
    [0, '7z\xbc\xaf\x27\x1c', '7z x'],
    [257, 'ustar\0', 'tar'],
    [0, 'QED\0', '-f qed'],
    [-512, 'koly', '-f dmg'],
    [0, 'LUKS\xba\xbe', 'ncrypted'],
    [0, 'QFI\xfb\0\0\0\x01', '-f qcow ']
  ])('mark at %i: %j', async (offset, mark, next) => {
    const error = await failureOf('bad-file', () => told(file([offset, mark]), 'it'))
    expect(error.next).toContain(next)
    expect(error.message).toContain('“/x/it” is ')
  })

  test('an empty file', async () => {
    await failureOf('bad-file', () => told({ sizeBytes: 0, start: Buffer.alloc(0), end: Buffer.alloc(0) }))
  })
})
