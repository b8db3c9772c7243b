import { describe, expect, it } from 'vitest'
import { PAGE_BYTES, StreamSplitter } from '#core/snapshot/split'
import { failureOf } from '../../support/scratch'

const MEMORY_BYTES = 64 * PAGE_BYTES
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const u64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}
const named = (name: string): Buffer => Buffer.concat([Buffer.from([name.length]), Buffer.from(name, 'latin1')])
const page = (fill: number): Buffer => Buffer.alloc(PAGE_BYTES, fill)
const END_OF_SECTION = u64(0x10)
const footer = (id: number): Buffer => Buffer.concat([Buffer.from([0x7e]), u32(id)])
const DEVICES = Buffer.concat([Buffer.from([0x04]), u32(9), named('timer'), u32(0), u32(2), Buffer.alloc(700, 0x7e), Buffer.from([0])])

/** A stream as QEMU 7.2 writes it: two RAM blocks, three parts, then devices. */
function stream(): { whole: Buffer; rest: Buffer; pages: Map<number, number> } {
  const pages = new Map<number, number>()
  const all: { bytes: Buffer; mine: boolean }[] = []
  const put = (...bytes: Buffer[]): void => void all.push({ bytes: Buffer.concat(bytes), mine: false })
  const mine = (...bytes: Buffer[]): void => void all.push({ bytes: Buffer.concat(bytes), mine: true })
  put(u32(0x5145564d), u32(3), Buffer.from([0x07]), u32(10), Buffer.from('pc-q35-7.2'))
  put(Buffer.from([0x01]), u32(2), named('ram'), u32(0), u32(4))
  put(u64((MEMORY_BYTES + 2 * PAGE_BYTES) | 0x04), named('mem'), u64(MEMORY_BYTES), named('vga.vram'), u64(2 * PAGE_BYTES), END_OF_SECTION, footer(2))
  put(Buffer.from([0x02]), u32(2))
  mine(u64(0 | 0x08), named('mem'), page(1))
  mine(u64(PAGE_BYTES | 0x08 | 0x20), page(2))
  mine(u64((2 * PAGE_BYTES) | 0x02 | 0x20), Buffer.from([0]))
  pages.set(0, 1).set(PAGE_BYTES, 2).set(2 * PAGE_BYTES, 0)
  put(u64(0 | 0x08), named('vga.vram'), page(9), u64(PAGE_BYTES | 0x02 | 0x20), Buffer.from([0]))
  mine(u64((5 * PAGE_BYTES) | 0x08), named('mem'), page(0x7e))
  pages.set(5 * PAGE_BYTES, 0x7e)
  put(END_OF_SECTION, footer(2), Buffer.from([0x03]), u32(2))
  mine(u64((6 * PAGE_BYTES) | 0x08), named('mem'), page(6))
  pages.set(6 * PAGE_BYTES, 6)
  put(END_OF_SECTION, footer(2), DEVICES)
  return { whole: Buffer.concat(all.map(({ bytes }) => bytes)), rest: Buffer.concat(all.filter((one) => !one.mine).map(({ bytes }) => bytes)), pages }
}

function split(chunks: Buffer[]): { memoryBytes: number; pages: Map<number, number>; rest: Buffer } {
  const found = { memoryBytes: 0, pages: new Map<number, number>(), rest: [] as Buffer[] }
  const splitter = new StreamSplitter('mem', {
    onMemory: (sizeBytes) => (found.memoryBytes = sizeBytes),
    onPage: (at, bytes) => {
      expect(bytes).toHaveLength(PAGE_BYTES)
      expect(bytes.equals(page(bytes[0]!))).toBe(true)
      found.pages.set(at, bytes[0]!)
    },
    onZeroPage: (at) => found.pages.set(at, 0),
    onRest: (bytes) => found.rest.push(Buffer.from(bytes))
  })
  for (const chunk of chunks) splitter.write(chunk)
  splitter.end()
  return { ...found, rest: Buffer.concat(found.rest) }
}

const cut = (bytes: Buffer, sizes: () => number): Buffer[] => {
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = sizes()
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}

describe('a migration stream', () => {
  it.each([1, 2, 7, 4095, 4096, 4097, 65536, 10 ** 7])('is taken apart the same when it comes %i bytes at a time', (size) => {
    const { whole, rest, pages } = stream()
    const found = split(cut(whole, () => size))
    expect(found.memoryBytes).toBe(MEMORY_BYTES)
    expect(found.pages).toEqual(pages)
    expect(found.rest.equals(rest)).toBe(true)
  })

  it('is taken apart the same wherever it is cut', () => {
    const { whole, rest, pages } = stream()
    let seed = 42
    const random = (): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31)
    for (let round = 0; round < 50; round++) {
      const found = split(cut(whole, () => 1 + (random() % 9000)))
      expect(found.pages).toEqual(pages)
      expect(found.rest.equals(rest)).toBe(true)
    }
  })

  it('that ends before the devices, or is no stream, is refused', async () => {
    const { whole } = stream()
    await failureOf('protocol', () => split([whole.subarray(0, whole.length - DEVICES.length)]))
    await failureOf('protocol', () => split([Buffer.alloc(64)]))
    const unknown = Buffer.from(whole)
    unknown.writeUInt8(0x80, whole.indexOf(named('mem'), 200) - 1)
    await failureOf('protocol', () => split([unknown]))
  })
})
