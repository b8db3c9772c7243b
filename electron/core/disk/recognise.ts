import { failure, type Failure, type ImageRecord, type ImageFormat } from '#contract'
import type { Peek } from '../host/peek'

/** What the content of a file says it is. Proposed once, at import, and recorded: a format is never probed again. */
export interface Recognised {
  format: ImageFormat
  kind: Exclude<ImageRecord['kind'], 'guest'>
}
/** What the user says it is. */
export interface Said {
  format?: ImageFormat | undefined
  kind?: Recognised['kind'] | undefined
}

/** How much of a file's start and end must be read for this: btrfs has its mark deepest, VHD and DMG at the end. */
export const START_BYTES = 128 * 1024
export const END_BYTES = 512

const latin = (text: string): Buffer => Buffer.from(text, 'latin1')
const MAGIC: readonly (readonly [ImageFormat, number, Buffer])[] = [
  ['qcow2', 0, latin('QFI\xfb')],
  ['vmdk', 0, latin('KDMV')],
  ['vmdk', 0, latin('# Disk DescriptorFile')],
  ['vdi', 0x40, latin('\x7f\x10\xda\xbe')],
  ['vhdx', 0, latin('vhdxfile')],
  ['vpc', 0, latin('conectix')]
]
/** Volume descriptors begin in sector 16: ISO 9660 (ECMA-119, 8.1), and UDF alone (ECMA-167, 2/9). */
const DISC: readonly (readonly [number, Buffer])[] = [
  [16 * 2048 + 1, latin('CD001')],
  [16 * 2048 + 1, latin('BEA01')]
]
/** Partition tables, and file systems that need none. */
const DISK: readonly (readonly [number, Buffer])[] = [
  [510, latin('\x55\xaa')],
  [512, latin('EFI PART')],
  [1080, latin('\x53\xef')], // ext2, 3, 4
  [0, latin('XFSB')],
  [0x10040, latin('_BHRfS_M')], // btrfs
  [512, latin('LABELONE')] // LVM
]
/** What people have by mistake or in place of the thing itself, and what to do about it. */
const OTHERS: readonly (readonly [number, Buffer, string, string])[] = [
  [0, latin('\x1f\x8b'), 'compressed with gzip', 'Unpack it first: gunzip --keep FILE'],
  [0, latin('\xfd7zXZ\0'), 'compressed with xz', 'Unpack it first: unxz --keep FILE'],
  [0, latin('\x28\xb5\x2f\xfd'), 'compressed with zstd', 'Unpack it first: unzstd FILE'],
  [0, latin('BZh'), 'compressed with bzip2', 'Unpack it first: bunzip2 --keep FILE'],
  [0, latin('PK\x03\x04'), 'a ZIP archive', 'Unpack it first: unzip FILE'],
  [0, latin('7z\xbc\xaf\x27\x1c'), 'a 7-Zip archive', 'Unpack it first: 7z x FILE'],
  [257, latin('ustar'), 'a tar archive', 'Unpack it first, also an OVA: tar --extract --file FILE, then import the disk in it'],
  [0, latin('LUKS\xba\xbe'), 'encrypted (LUKS)', 'Encrypted images cannot be used.'],
  [0, latin('QED\0'), 'a QED image', 'Convert it first: qemu-img convert -f qed -O qcow2 FILE NEW'],
  [0, latin('WithoutFreeSpace'), 'a Parallels image', 'Convert it first: qemu-img convert -f parallels -O qcow2 FILE NEW'],
  [0, latin('WithouFreSpacExt'), 'a Parallels image', 'Convert it first: qemu-img convert -f parallels -O qcow2 FILE NEW']
]
/** How the makers of cloud images name them. Debian's "nocloud" has no cloud-init, other makers' has. */
const CLOUD_NAME = /cloud|openstack|[-_.]ec2|^debian-\d+-generic-/i
const NO_CLOUD_NAME = /^debian-\w+-nocloud-/i

const has = (bytes: Buffer, offset: number, magic: Buffer): boolean => bytes.subarray(offset, offset + magic.length).equals(magic)

/** The format that the content shows, null for none: it may be raw. */
export function formatOf(start: Buffer, end: Buffer): ImageFormat | null {
  const shown = MAGIC.find(([, offset, magic]) => has(start, offset, magic))?.[0]
  // A VHD of fixed size is a raw image with a footer.
  return shown ?? (has(end, Math.max(0, end.length - END_BYTES), latin('conectix')) ? 'vpc' : null)
}

/**
 * Tells what a file is: by its content, unless the user says otherwise. Whether an image reads a cloud-init seed is guessed
 * from its name, which makers of such images give for that; a seed that nobody reads does no harm.
 * @throws bad-file, bad-input (what the user says contradicts itself or the content)
 */
export function recognise(path: string, fileName: string, { sizeBytes, start, end }: Peek, said: Said): Recognised {
  if (sizeBytes === 0) throw failure('bad-file', `“${path}” is empty.`, { path, next: 'Choose a disk image or an ISO.' })
  const isDisc = DISC.some(([offset, magic]) => has(start, offset, magic))
  if (said.kind === 'iso') return disc(path, isDisc, said)
  const shown = formatOf(start, end)
  const format = said.format ?? shown ?? 'raw'
  if (format === 'raw' && said.kind === undefined && isDisc) return { format, kind: 'iso' }
  if (said.format === undefined && shown === null) requireRawDisk(path, start, end)
  if (shown === 'qcow2' && format === 'qcow2' && start.length >= 8 && start.readUInt32BE(4) === 1) {
    throw other(path, 'an image of QEMU’s first format (qcow)', 'Convert it first: qemu-img convert -f qcow -O qcow2 FILE NEW')
  }
  return { format, kind: said.kind ?? (CLOUD_NAME.test(fileName) && !NO_CLOUD_NAME.test(fileName) ? 'cloud' : 'disk') }
}

function disc(path: string, isDisc: boolean, said: Said): Recognised {
  if (said.format !== undefined && said.format !== 'raw') {
    throw failure('bad-input', `An ISO is a raw image; it has no format ${said.format}.`, { field: 'format', next: 'Leave the format out.' })
  }
  if (!isDisc) throw failure('bad-input', `“${path}” is no ISO: it holds neither an ISO 9660 nor a UDF file system.`, { field: 'kind', next: 'Leave the kind out to have it told from the content.' })
  return { format: 'raw', kind: 'iso' }
}

/** Anything could be a raw disk; what shows no sign of one is taken for a mistake. A blank disk is a disk. */
function requireRawDisk(path: string, start: Buffer, end: Buffer): void {
  for (const [offset, magic, what, next] of OTHERS) if (has(start, offset, magic)) throw other(path, what, next)
  if (has(end, Math.max(0, end.length - END_BYTES), latin('koly'))) throw other(path, 'an Apple disk image (DMG)', 'Convert it first: qemu-img convert -f dmg -O qcow2 FILE NEW')
  if (DISK.some(([offset, magic]) => has(start, offset, magic)) || start.every((byte) => byte === 0)) return
  throw failure('bad-file', `“${path}” is not a disk image that Strata knows.`, { path, next: 'If it is a raw disk image, say so: choose the format raw.' })
}

const other = (path: string, what: string, next: string): Failure => failure('bad-file', `“${path}” is ${what}.`, { path, next: next.replace('FILE', `“${path}”`) })
