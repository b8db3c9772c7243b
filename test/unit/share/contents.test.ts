import { execFileSync } from 'node:child_process'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { damagedByWriters, diskContents, recogniseContent } from '#core/share/contents'
import { scratchFolder } from '../../support/scratch'

const MiB = 2 ** 20
const reader = (disk: Buffer) => async (at: number, bytes: number) => disk.subarray(at, at + bytes)
const marked = (...marks: [number, string][]): Buffer => {
  const disk = Buffer.alloc(4 * MiB)
  for (const [at, text] of marks) disk.write(text, at, 'latin1')
  return disk
}

describe('what lies on a disk', () => {
  it.each(['ext2', 'ext3', 'ext4'])('is told of a real %s', async (kind) => {
    const file = join(scratchFolder(), 'disk')
    writeFileSync(file, '')
    truncateSync(file, 16 * MiB)
    execFileSync('mke2fs', ['-q', '-t', kind, file], { env: { ...process.env, PATH: `${process.env.PATH}:/sbin:/usr/sbin` } })
    expect(await diskContents(reader(readFileSync(file)))).toEqual([{ partition: null, kind, cluster: false }])
  })

  it.each([
    ['XFS', 0, 'XFSB', false],
    ['NTFS', 3, 'NTFS    ', false],
    ['exFAT', 3, 'EXFAT   ', false],
    ['btrfs', 0x10040, '_BHRfS_M', false],
    ['LVM', 512, 'LABELONE', false],
    ['LUKS', 0, 'LUKS\xba\xbe', false],
    ['swap', 4086, 'SWAPSPACE2', false],
    ['FAT', 82, 'FAT32   ', false],
    ['OCFS2', 8192, 'OCFSV2', true],
    ['GFS2', 0x10000, '\x01\x16\x19\x70', true]
  ])('is told of %s by its mark', (kind, at, mark, cluster) => {
    expect(recogniseContent(marked([at, mark]))).toEqual({ kind, cluster })
  })

  it('is nothing where all is empty, and unknown where something is without a mark', async () => {
    expect(await diskContents(reader(marked()))).toEqual([{ partition: null, kind: 'nothing', cluster: false }])
    expect(await diskContents(reader(marked([5000, 'a database'])))).toEqual([{ partition: null, kind: 'unknown', cluster: false }])
  })

  it('is looked for in every partition, of an MBR and of a GPT', async () => {
    const mbr = marked([510, '\x55\xaa'], [2 * MiB, 'XFSB'])
    mbr[446 + 4] = 0x83
    mbr.writeUInt32LE(2 * 2048, 446 + 8)
    expect(await diskContents(reader(mbr))).toEqual([{ partition: 1, kind: 'XFS', cluster: false }])

    const gpt = marked([510, '\x55\xaa'], [512, 'EFI PART'], [MiB + 3, 'NTFS    '], [2 * MiB + 4096, 'OCFSV2'])
    gpt.writeBigUInt64LE(2n, 512 + 72)
    gpt.writeUInt32LE(128, 512 + 80)
    gpt.writeUInt32LE(128, 512 + 84)
    for (const [index, at] of [[0, 1], [2, 2]] as const) {
      gpt.fill(0xaa, 1024 + index * 128, 1024 + index * 128 + 16)
      gpt.writeBigUInt64LE(BigInt(at * 2048), 1024 + index * 128 + 32)
    }
    expect(await diskContents(reader(gpt))).toEqual([
      { partition: 1, kind: 'NTFS', cluster: false },
      { partition: 3, kind: 'OCFS2', cluster: true }
    ])
  })

  it('is no table of partitions when it does not make sense', async () => {
    const wild = marked([510, '\x55\xaa'], [512, 'EFI PART'])
    wild.fill(0xff, 512 + 72, 512 + 96)
    expect(await diskContents(reader(wild))).toEqual([{ partition: null, kind: 'unknown', cluster: false }])
  })
})

describe('several writers', () => {
  it('damage all but cluster file systems, and an empty disk', () => {
    const of = (...kinds: string[]) => damagedByWriters(kinds.map((kind, index) => ({ partition: index, kind, cluster: kind === 'OCFS2' })))
    expect(of('nothing')).toBeNull()
    expect(of('OCFS2')).toBeNull()
    expect(of('unknown')).toBe('unknown')
    expect(of('OCFS2', 'ext4', 'swap', 'ext4')).toBe('ext4, swap')
  })
})
