import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { receive } from '#core/snapshot/receive'
import { failureOf, scratchFolder, smallFileSystem } from '../support/scratch'

const PAGE_BYTES = 4096

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
  // Again, as QEMU sends what was changed since: other bytes, and zeros in place of bytes.
  mine(u64(PAGE_BYTES | 0x08), named('mem'), page(3))
  mine(u64((5 * PAGE_BYTES) | 0x02 | 0x20), Buffer.from([0]))
  pages.set(PAGE_BYTES, 3).set(5 * PAGE_BYTES, 0)
  put(END_OF_SECTION, footer(2), DEVICES)
  return { whole: Buffer.concat(all.map(({ bytes }) => bytes)), rest: Buffer.concat(all.filter((one) => !one.mine).map(({ bytes }) => bytes)), pages }
}

/** The same without the memory, as QEMU writes it with `x-ignore-shared`: it says so in its configuration, and has each block's address. */
function withoutMemory(): { whole: Buffer; rest: Buffer } {
  const head = [u32(0x5145564d), u32(3), Buffer.from([0x07]), u32(10), Buffer.from('pc-q35-7.2')]
  const capabilities = [Buffer.from([0x05]), named('configuration/capabilities'), u32(1), u32(1), named('x-ignore-shared')]
  const ram = [Buffer.from([0x01]), u32(2), named('ram'), u32(0), u32(4), u64((MEMORY_BYTES + PAGE_BYTES) | 0x04)]
  const blocks = [named('mem'), u64(MEMORY_BYTES), named('vga.vram'), u64(PAGE_BYTES)]
  const after = [END_OF_SECTION, footer(2), Buffer.from([0x03]), u32(2), u64(0 | 0x08), named('vga.vram'), page(9), END_OF_SECTION, footer(2), DEVICES]
  const addressed = [named('mem'), u64(MEMORY_BYTES), u64(0), named('vga.vram'), u64(PAGE_BYTES), u64(0xfc000000)]
  return { whole: Buffer.concat([...head, ...capabilities, ...ram, ...addressed, ...after]), rest: Buffer.concat([...head, ...ram, ...blocks, ...after]) }
}

/** Sends these pieces as QEMU would; what was made of them. */
async function taken(chunks: Buffer[], folder = scratchFolder()): Promise<{ memoryBytes: number; ram: Buffer; rest: Buffer; devicesSha256: string; heldBytes: number }> {
  const socket = join(scratchFolder(), 'socket')
  const files = { ram: join(folder, 'the memory ☂'), devices: join(folder, 'devices') }
  const receiver = await receive(socket, files)
  const qemu = connect(socket)
  qemu.on('error', () => {}) // who refuses the rest hangs up
  for (const chunk of chunks) if (!qemu.write(chunk)) await Promise.race([once(qemu, 'drain'), once(qemu, 'close')])
  qemu.end()
  const { memoryBytes, devicesSha256 } = await receiver.finish()
  expect(existsSync(socket)).toBe(false)
  return { memoryBytes, devicesSha256, ram: readFileSync(files.ram), rest: readFileSync(files.devices), heldBytes: statSync(files.ram).blocks * 512 }
}

const cut = (bytes: Buffer, size: number): Buffer[] => Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size))

describe('a migration stream', () => {
  it.each([1, 7, 4095, 4096, 4097, 10 ** 7])('is taken apart as it comes, %i bytes at a time', async (size) => {
    const { whole, rest, pages } = stream()
    const found = await taken(cut(whole, size))
    expect(found.memoryBytes).toBe(MEMORY_BYTES)
    expect(found.ram).toHaveLength(MEMORY_BYTES)
    for (let at = 0; at < MEMORY_BYTES; at += PAGE_BYTES) expect(found.ram.subarray(at, at + PAGE_BYTES).equals(page(pages.get(at) ?? 0))).toBe(true)
    expect(found.rest.equals(rest)).toBe(true)
    expect(found.devicesSha256).toBe(createHash('sha256').update(rest).digest('hex'))
    expect(found.heldBytes).toBeLessThanOrEqual(5 * PAGE_BYTES) // the others are holes
  })

  it.each([1, 7, 10 ** 7])('without memory has a rest like any other, %i bytes at a time', async (size) => {
    const { whole, rest } = withoutMemory()
    const found = await taken(cut(whole, size))
    expect(found).toMatchObject({ memoryBytes: MEMORY_BYTES, heldBytes: 0 })
    expect(found.rest.equals(rest)).toBe(true)
    const other = Buffer.from(whole)
    other.write('x-unknown', whole.indexOf('x-ignore-shared'))
    expect(await failureOf('protocol', () => taken([other]))).toMatchObject({ message: expect.stringContaining('capability') as string })
  })

  it('that ends before the devices, or is no stream, is refused', async () => {
    const { whole } = stream()
    const refused = async (bytes: Buffer, why: string): Promise<void> => {
      expect(await failureOf('protocol', () => taken([bytes]))).toMatchObject({ message: expect.stringContaining(why) as string })
    }
    await refused(whole.subarray(0, whole.length - DEVICES.length), 'before the state of the devices')
    await refused(Buffer.alloc(64), 'does not begin like one')
    await refused(Buffer.alloc(0), 'before the state of the devices')
    const unknown = Buffer.from(whole)
    unknown.writeUInt8(0x80, whole.indexOf(named('mem'), 200) - 1)
    await refused(unknown, 'unknown kind')
    const beyond = Buffer.from(whole)
    beyond.writeUInt32BE(1, whole.indexOf(named('mem'), 200) - 8)
    await refused(beyond, 'beyond the end of memory')
  })

  it('that has no room is refused with the name of the file; one that is there already is left alone', async () => {
    const small = smallFileSystem(4 * PAGE_BYTES)
    if (small) expect(await failureOf('no-space', () => taken([stream().whole], small))).toMatchObject({ path: join(small, 'the memory ☂') })
    const folder = scratchFolder()
    writeFileSync(join(folder, 'devices'), 'mine')
    await failureOf('file', () => taken([stream().whole], folder))
    expect(readFileSync(join(folder, 'devices'), 'utf8')).toBe('mine')
  })

  it('is waited for until it is given up', async () => {
    const folder = scratchFolder()
    const receiver = await receive(join(folder, 'socket'), { ram: join(folder, 'ram'), devices: join(folder, 'devices') })
    await receiver.abandon()
    await failureOf('cancelled', () => receiver.broken)
  })

  it('that is damaged anywhere is survived, under sanitizers', () => {
    const folder = scratchFolder()
    mkdirSync(join(folder, 'built'))
    writeFileSync(join(folder, 'stream'), stream().whole)
    writeFileSync(join(folder, 'without'), withoutMemory().whole)
    const program = join(folder, 'built/test')
    const flags = ['-std=c11', '-D_GNU_SOURCE', '-g', '-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all']
    execFileSync('cc', [...flags, '-o', program, 'test.c', 'stream.c'], { cwd: join(import.meta.dirname, '../../native/snapshot') })
    for (const file of ['stream', 'without']) expect(execFileSync(program, [join(folder, file), '10000'], { encoding: 'utf8' })).toBe('ok\n')
  })
})
