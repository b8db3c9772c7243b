import { describe, expect, it } from 'vitest'
import { parseTraceLine } from '#core/trace/log-lines'
import { Tally } from '#core/trace/tally'

const TOP = '/d/top.qcow2'
const BASE = '/d/Prüfung "1".qcow2'
const bytes = (text: string): string => Buffer.from(text).toString('latin1')
/** As QEMU 7.2 writes them. */
const OPENED = [
  `bdrv_open_common bs 0x1 filename "${TOP}" flags 0xa002 format_name "file"`,
  `bdrv_open_common bs 0x2 filename "${TOP}" flags 0x2002 format_name "qcow2"`,
  `bdrv_open_common bs 0x3 filename "${bytes(BASE)}" flags 0xa000 format_name "file"`,
  `bdrv_open_common bs 0x4 filename "${bytes(BASE)}" flags 0x2000 format_name "qcow2"`
]
const read = (node: string, at: number, count: number): string => `bdrv_co_preadv_part bs ${node} offset ${at} bytes ${count} flags 0x0`
const write = (node: string, at: number, count: number): string => `bdrv_co_pwritev_part bs ${node} offset ${at} bytes ${count} flags 0x10`
const CHAIN = [[TOP, BASE]]

describe('trace lines', () => {
  it('are read as QEMU writes them, and others are passed over', () => {
    expect(parseTraceLine(OPENED[2]!)).toEqual({ kind: 'open', node: '0x3', path: BASE, format: 'file' })
    expect(parseTraceLine(read('0x55d12c3b5e50', 131072, 4096))).toEqual({ kind: 'read', node: '0x55d12c3b5e50', offset: 131072, bytes: 4096 })
    expect(parseTraceLine('qcow2_writev_start_req co 0x9 offset 0x1400000 bytes 4096')).toEqual({ kind: 'write-begun', coroutine: '0x9', offset: 0x1400000, bytes: 4096 })
    expect(parseTraceLine('qcow2_cluster_link_l2 co 0x9 nb_clusters 4')).toEqual({ kind: 'allocated', coroutine: '0x9', clusters: 4 })
    expect(parseTraceLine('qcow2_writev_done_req co 0x9 ret 0')).toBeNull()
    expect(parseTraceLine('')).toBeNull()
  })
})

describe('the tally of an X-ray', () => {
  it('counts opens, and takes what was not asked of the layer below for served', () => {
    const tally = new Tally()
    const { opened, events } = tally.take([...OPENED, read('0x2', 0, 4096), read('0x4', 0, 4096), read('0x3', 65536, 4096), read('0x2', 8192, 4096), read('0x1', 65536, 4096)])
    expect(opened.map(({ format }) => format)).toEqual(['file', 'qcow2', 'file', 'qcow2'])
    expect(events).toBe(5)
    tally.sample(1, CHAIN)
    expect(tally.total(TOP)).toMatchObject({ opens: 2, reads: 2, readBytes: 8192, servedBytes: 4096, fileReads: 1 })
    expect(tally.total(BASE)).toMatchObject({ opens: 2, reads: 1, readBytes: 4096, servedBytes: 4096, fileReads: 1 })
  })

  it('gives clusters to the layer whose write they were for', () => {
    const tally = new Tally()
    tally.take([...OPENED, write('0x2', 0x1000, 4096), 'qcow2_writev_start_req co 0x9 offset 0x1000 bytes 4096', write('0x4', 0, 512), 'qcow2_writev_start_req co 0x8 offset 0x0 bytes 512'])
    tally.take(['qcow2_cluster_link_l2 co 0x9 nb_clusters 2', 'qcow2_cluster_link_l2 co 0x8 nb_clusters 1', 'qcow2_cluster_link_l2 co 0x7 nb_clusters 5'])
    const files = tally.sample(1, CHAIN)
    expect(files.map(({ path, writes, clusters }) => [path, writes, clusters])).toEqual([
      [TOP, 1, 2],
      [BASE, 1, 1]
    ])
  })

  it('reckons the whole from a part, and never serves less than nothing', () => {
    const tally = new Tally()
    tally.take([...OPENED, read('0x2', 0, 512), read('0x4', 0, 65536)]) // a cluster is filled before a write
    expect(tally.sample(25, CHAIN)).toEqual([expect.objectContaining({ path: TOP, reads: 25, servedBytes: 0 }), expect.objectContaining({ path: BASE, readBytes: 25 * 65536 })])
    expect(tally.sample(25, CHAIN)).toEqual([])
    expect(tally.total(TOP).reads).toBe(25)
  })

  it('goes on from what was remembered', () => {
    const before = new Tally()
    before.take(OPENED)
    const tally = new Tally(before.remembered)
    tally.take([read('0x4', 0, 4096)])
    tally.sample(1, CHAIN)
    expect(tally.total(BASE)).toMatchObject({ opens: 2, reads: 1 })
  })
})
