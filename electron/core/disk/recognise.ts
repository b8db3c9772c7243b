import type { Image, ImageFormat } from '#contract'
import { failure } from '#contract'
import { readStart } from '../host/files'

/** What the content of a file says it is. Proposed once, at import, and recorded: a format is never probed again. */
export interface Recognised {
  format: ImageFormat
  kind: Exclude<Image['kind'], 'guest'>
}

const MAGIC: [ImageFormat, number, Buffer][] = [
  ['qcow2', 0, Buffer.from('QFI\xfb', 'latin1')],
  ['vmdk', 0, Buffer.from('KDMV')],
  ['vmdk', 0, Buffer.from('# Disk DescriptorFile')],
  ['vdi', 0x40, Buffer.from([0x7f, 0x10, 0xda, 0xbe])],
  ['vhdx', 0, Buffer.from('vhdxfile')],
  ['vpc', 0, Buffer.from('conectix')]
]
/** ISO 9660's first volume descriptor (ECMA-119, 8.1) lies in sector 16. */
const ISO_OFFSET = 16 * 2048 + 1
const ISO_MAGIC = Buffer.from('CD001')
/** How the makers of cloud images name them. */
const CLOUD_NAME = /cloud|generic|genericcloud|nocloud|openstack|-ec2/i

export async function recognise(path: string, fileName: string): Promise<Recognised> {
  const start = await readStart(path, ISO_OFFSET + ISO_MAGIC.length)
  if (start.length === 0) throw failure('bad-file', `“${path}” is empty.`, { path, next: 'Choose a disk image or an ISO.' })
  const has = (offset: number, magic: Buffer): boolean => start.subarray(offset, offset + magic.length).equals(magic)
  const format = MAGIC.find(([, offset, magic]) => has(offset, magic))?.[0] ?? 'raw'
  if (format === 'raw' && has(ISO_OFFSET, ISO_MAGIC) && !hasPartitions(start, fileName)) return { format, kind: 'iso' }
  return { format, kind: CLOUD_NAME.test(fileName) ? 'cloud' : 'disk' }
}

/** Hybrid ISOs have a partition table too; what tells them from a disk is then their name. */
const hasPartitions = (start: Buffer, fileName: string): boolean => start[510] === 0x55 && start[511] === 0xaa && !/\.iso$/i.test(fileName)
