import { describe, expect, it } from 'vitest'
import { chunkEngine } from '#core/host/chunk-engine'
import { decodeArchive, encodeArchive } from '#core/store/archive-format'
import { piecesOf, tasksOf } from '#core/store/load'
import { decodeFooter, decodeHeader, decodeTrailer, encodeFooter, encodeHeader, HEADER_BYTES, TRAILER_BYTES } from '#core/store/pack-format'
import { Runs, ZEROS } from '#core/store/runs'
import { wholeChunks } from '#core/store/save'

const runsOf = (...all: [number, number, number][]): Runs => {
  const runs = Runs.empty()
  for (const run of all) runs.push(...run)
  return runs
}
const listed = (runs: Runs) => [...runs].map(({ chunks, pack, first }) => [chunks, pack, first])

describe('the hash', () => {
  // The input of the official test vectors: bytes that count up to 250, again and again.
  it.each([
    [2048, 'e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a'],
    [4096, '015094013f57a5277b59d8475c0501042c0b642e531b0a1c8f58d2163229e969'],
    [8192, 'aae792484c8efe4f19e2ca7d371d8c467ffb10748d8a5a1ae579948f718a2a63']
  ])('is BLAKE3 (%i bytes)', (size, hash) => {
    const one = Uint8Array.from({ length: size }, (_, i) => i % 251)
    const three = Buffer.concat([one, Buffer.alloc(size, 7), one])
    const hashes = chunkEngine().hash(three, size)
    expect([hashes.subarray(0, 32).toString('hex'), hashes.subarray(64).toString('hex')]).toEqual([hash, hash])
    expect(hashes.subarray(32, 64).toString('hex')).not.toBe(hash)
  })

  it('is refused for sizes that are no power of two', () => {
    expect(() => chunkEngine().hash(Buffer.alloc(6000), 3000)).toThrow()
  })
})

describe('runs', () => {
  it('joins what goes on', () => {
    expect(listed(runsOf([1, 0, 5], [2, 0, 6], [1, 0, 9], [3, ZEROS, 0], [1, ZEROS, 0], [1, 1, 10]))).toEqual([[3, 0, 5], [1, 0, 9], [4, ZEROS, 0], [1, 1, 10]])
  })

  it('comes back from its encoding, whatever it holds', () => {
    const runs = Runs.empty()
    for (let i = 0; i < 5000; i++) runs.push((i * 7919) % 300 + 1, i % 5 === 4 ? ZEROS : i % 3, (i * 104729) % 4_000_000)
    const back = Runs.decode(runs.encode(), 3)
    expect(listed(back)).toEqual(listed(runs))
    expect([back.chunks, back.storedChunks]).toEqual([runs.chunks, runs.storedChunks])
  })

  it('refuses bytes that are no list of runs', () => {
    expect(() => Runs.decode(Buffer.from([0x80]), 1)).toThrow(RangeError)
    expect(() => Runs.decode(Buffer.from([1, 5, 0]), 1)).toThrow(RangeError)
    expect(() => Runs.decode(Buffer.from([1, 1, 1]), 1)).toThrow(RangeError)
  })
})

describe('a pack', () => {
  const header = { chunkBytes: 4096, frameChunks: 32 }
  const footer = { frames: Buffer.alloc(32, 1), hashes: Buffer.alloc(32 * 40, 2) }
  const end = encodeFooter(header, footer, 1000)
  const trailer = end.subarray(end.length - TRAILER_BYTES)
  const read = (head: Buffer, body: Buffer, tail: Buffer) => decodeFooter(head, body, tail)

  it('says what it holds', () => {
    expect(decodeHeader(encodeHeader(header))).toEqual(header)
    expect(decodeTrailer(trailer, 1000 + end.length)).toMatchObject({ footerOffset: 1000, frames: 2, chunks: 40 })
    expect(read(encodeHeader(header), end.subarray(0, -TRAILER_BYTES), trailer)).toEqual(footer)
  })

  it('notices every bit that is turned', () => {
    const whole = Buffer.concat([encodeHeader(header), end])
    for (let at = 0; at < whole.length; at += at < HEADER_BYTES || at > whole.length - TRAILER_BYTES ? 1 : 37) {
      const damaged = Buffer.from(whole)
      damaged[at]! ^= 4
      const [head, tail] = [damaged.subarray(0, HEADER_BYTES), damaged.subarray(-TRAILER_BYTES)]
      const all = () => {
        decodeHeader(head)
        decodeTrailer(tail, 1000 + end.length)
        return read(head, damaged.subarray(HEADER_BYTES, -TRAILER_BYTES), tail)
      }
      expect(all, `byte ${at}`).toThrow()
    }
  })
})

describe('an archive', () => {
  const head = { name: 'a – b', savedAtMs: 1, tookMs: 2, chunkBytes: 4096, addedBytes: 3, kind: 'image', note: '', details: { format: 'raw' }, packs: ['0123456789abcdef'], files: [{ name: 'ram', sizeBytes: 5, dataBytes: 5 }, { name: 'empty', sizeBytes: 0, dataBytes: 0 }] }

  it('comes back from its encoding', async () => {
    const { head: back, runs } = await decodeArchive(await encodeArchive(head, [runsOf([3, 0, 7], [1, ZEROS, 0]), Runs.empty()]))
    expect(back).toMatchObject(head)
    expect(runs.map(listed)).toEqual([[[3, 0, 7], [1, ZEROS, 0]], []])
  })

  it('notices every byte that is changed', async () => {
    const whole = await encodeArchive(head, [runsOf([3, 0, 7]), Runs.empty()])
    for (let at = 0; at < whole.length; at++) {
      if (at >= 20 && at < 24) continue // spare
      const damaged = Buffer.from(whole)
      damaged[at]! ^= 1
      await expect(decodeArchive(damaged), `byte ${at}`).rejects.toThrow()
    }
  })

  it('does not lead out of its folder', async () => {
    const evil = { ...head, files: [{ name: '../x', sizeBytes: 0, dataBytes: 0 }] }
    await expect(decodeArchive(await encodeArchive(evil, [Runs.empty()]))).rejects.toThrow('header')
  })
})

describe('what is read and loaded', () => {
  it('widens data to whole chunks, joins what meets, and ends where the file does', () => {
    expect(wholeChunks([{ offset: 4096, bytes: 4096 }, { offset: 12288, bytes: 100 }, { offset: 70000, bytes: 30000 }], 8192, 100000)).toEqual([
      { offset: 0, bytes: 16384 },
      { offset: 65536, bytes: 34464 }
    ])
  })

  it('loads only the chunks that have a part in what is asked for', () => {
    const runs = runsOf([2, 0, 10], [2, ZEROS, 0], [4, 1, 5])
    expect([...piecesOf(runs, 4096, 4096, 5 * 4096 + 1, 4096)]).toEqual([
      [0, [{ first: 11, count: 1, offset: 0 }]],
      [1, [{ first: 5, count: 2, offset: 3 * 4096 }]]
    ])
  })

  it('uncompresses no frame in two tasks', () => {
    const pieces = Array.from({ length: 300 }, (_, i) => ({ first: (i * 37) % 6000, count: (i % 90) + 1, offset: i }))
    const pack = { frameChunks: 32, chunkBytes: 4096 }
    const frames = tasksOf(pieces, pack).map((task) => new Set(task.flatMap(({ first, count }) => Array.from({ length: count }, (_, n) => Math.floor((first + n) / 32)))))
    const seen = new Map<number, number>()
    for (const [task, set] of frames.entries()) for (const frame of set) seen.set(frame, (seen.get(frame) ?? task) === task ? task : -1)
    const overlapping = [...seen.values()].filter((task) => task === -1).length
    expect(frames.length).toBeGreaterThan(1)
    expect(overlapping).toBe(0)
  })
})
