import type { DiskContent } from '#contract'

/** Reads some bytes of a disk as its guest sees it; fewer where it ends. */
export type ReadDisk = (at: number, bytes: number) => Promise<Buffer>

/** btrfs has its mark deepest: 64 KiB in. */
const START_BYTES = 128 * 1024
const SECTOR = 512
/** More partitions than this nobody makes on a shared disk. */
const MOST_PARTITIONS = 16

interface Mark {
  kind: string
  at: number
  bytes: Buffer
  cluster?: true
}
const latin = (text: string): Buffer => Buffer.from(text, 'latin1')
/** Sources: each file system's own headers, and file(1)'s magic. Where two could fit, the surer comes first. */
const MARKS: readonly Mark[] = [
  { kind: 'LUKS', at: 0, bytes: latin('LUKS\xba\xbe') },
  { kind: 'XFS', at: 0, bytes: latin('XFSB') },
  { kind: 'SquashFS', at: 0, bytes: latin('hsqs') },
  { kind: 'NTFS', at: 3, bytes: latin('NTFS    ') },
  { kind: 'exFAT', at: 3, bytes: latin('EXFAT   ') },
  { kind: 'LVM', at: 512, bytes: latin('LABELONE') },
  // Block 2, of 512 bytes to 4 KiB each.
  ...[1024, 2048, 4096, 8192].map((at): Mark => ({ kind: 'OCFS2', at, bytes: latin('OCFSV2'), cluster: true })),
  { kind: 'GFS2', at: 0x10000, bytes: Buffer.from([0x01, 0x16, 0x19, 0x70]), cluster: true },
  { kind: 'btrfs', at: 0x10040, bytes: latin('_BHRfS_M') },
  { kind: 'F2FS', at: 1024, bytes: Buffer.from([0x10, 0x20, 0xf5, 0xf2]) },
  { kind: 'swap', at: 4086, bytes: latin('SWAPSPACE2') },
  { kind: 'ISO 9660', at: 0x8001, bytes: latin('CD001') },
  { kind: 'FAT', at: 54, bytes: latin('FAT') },
  { kind: 'FAT', at: 82, bytes: latin('FAT32') }
]
const EXT_MARK = { at: 1080, bytes: latin('\x53\xef') }
/** s_feature_compat and s_feature_incompat: a journal makes it ext3, extents make it ext4. Source: fs/ext4/ext4.h. */
const EXT_COMPAT_AT = 1024 + 0x5c
const EXT_INCOMPAT_AT = 1024 + 0x60
const EXT_JOURNAL = 0x4
const EXT_EXTENTS = 0x40

const has = (start: Buffer, { at, bytes }: { at: number; bytes: Buffer }): boolean => start.subarray(at, at + bytes.length).equals(bytes)

/** What lies at the start of a disk or partition; null: no known mark, though something is there. */
export function recogniseContent(start: Buffer): { kind: string; cluster: boolean } | null {
  const mark = MARKS.find((one) => has(start, one))
  if (mark) return { kind: mark.kind, cluster: mark.cluster ?? false }
  if (has(start, EXT_MARK)) return { kind: extKind(start), cluster: false }
  return start.every((byte) => byte === 0) ? { kind: 'nothing', cluster: false } : null
}

function extKind(start: Buffer): string {
  if (start.readUInt32LE(EXT_INCOMPAT_AT) & EXT_EXTENTS) return 'ext4'
  return start.readUInt32LE(EXT_COMPAT_AT) & EXT_JOURNAL ? 'ext3' : 'ext2'
}

/** What lies on a disk: one entry for the whole of it, or one for each partition. */
export async function diskContents(read: ReadDisk): Promise<DiskContent[]> {
  const start = await read(0, START_BYTES)
  const whole = recogniseContent(start)
  if (whole) return [{ partition: null, ...whole }]
  const partitions = await partitionStarts(start, read)
  if (partitions.length === 0) return [{ partition: null, kind: 'unknown', cluster: false }]
  const found: DiskContent[] = []
  for (const { number, at } of partitions.slice(0, MOST_PARTITIONS)) {
    found.push({ partition: number, ...(recogniseContent(await read(at, START_BYTES)) ?? { kind: 'unknown', cluster: false }) })
  }
  return found
}

interface Partition {
  number: number
  /** In bytes from the start of the disk. */
  at: number
}
async function partitionStarts(start: Buffer, read: ReadDisk): Promise<Partition[]> {
  if (has(start, { at: 512, bytes: latin('EFI PART') })) return gptStarts(start, read)
  if (!has(start, { at: 510, bytes: latin('\x55\xaa') })) return []
  // MBR: four entries of 16 bytes; type at 4, first sector at 8.
  const entries = [0, 1, 2, 3].map((index) => ({ number: index + 1, type: start[446 + index * 16 + 4]!, at: start.readUInt32LE(446 + index * 16 + 8) * SECTOR }))
  return entries.filter(({ type, at }) => type !== 0 && at > 0).map(({ number, at }) => ({ number, at }))
}

/** Source: UEFI specification, 5.3: where the entries begin, how many there are, and how long each is. */
async function gptStarts(start: Buffer, read: ReadDisk): Promise<Partition[]> {
  const at = Number(start.readBigUInt64LE(SECTOR + 72)) * SECTOR
  const [count, size] = [Math.min(start.readUInt32LE(SECTOR + 80), 128), start.readUInt32LE(SECTOR + 84)]
  if (size < 128 || size > 4096) return []
  const table = await read(at, count * size)
  const entries = Array.from({ length: Math.floor(table.length / size) }, (_, index) => table.subarray(index * size, (index + 1) * size))
  return entries.flatMap((entry, index) => (entry.subarray(0, 16).every((byte) => byte === 0) ? [] : [{ number: index + 1, at: Number(entry.readBigUInt64LE(32)) * SECTOR }]))
}

/** Of what several writers would damage: null when they may. An empty disk nobody can damage. */
export function damagedByWriters(contents: readonly DiskContent[]): string | null {
  const found = contents.filter(({ kind, cluster }) => !cluster && kind !== 'nothing').map(({ kind }) => kind)
  return found.length === 0 ? null : [...new Set(found)].join(', ')
}

/** In a few words: `ext4`; `ext4 and swap`. */
export const sayContents = (contents: readonly DiskContent[]): string => [...new Set(contents.map(({ kind }) => kind))].join(' and ')
