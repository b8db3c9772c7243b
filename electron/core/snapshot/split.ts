import { failure } from '#contract'

/** What a migration stream is taken apart into. Buffers are only good during the call. */
export interface SplitSink {
  /** How much memory the guest has: told before the first page. */
  onMemory(sizeBytes: number): void
  onPage(offsetBytes: number, page: Buffer): void
  /** A page of zeros. */
  onZeroPage(offsetBytes: number): void
  /** All else, in order: together a valid stream, which loads everything but the guest's memory. */
  onRest(bytes: Buffer): void
}

export const PAGE_BYTES = 4096
/** migration/savevm.h, QEMU 7.2 */
const MAGIC = 0x5145564d
const VERSION = 3
const SECTION = { start: 0x01, part: 0x02, last: 0x03, full: 0x04, configuration: 0x07, footer: 0x7e } as const
/** migration/ram.c: flags in the low bits of a page's address */
const FLAG = { zero: 0x02, memorySize: 0x04, page: 0x08, endOfSection: 0x10, sameBlock: 0x20 } as const
const FLAGS = 0xfff

/**
 * Takes QEMU's migration stream apart as it comes: the pages of one RAM block here, everything else there. Nothing but the beginning
 * of a page that is cut by the end of a chunk is held back.
 *
 *   header ──> section ──"ram"──> records ──end of section──> footer ──> section ...
 *                 └── any other: devices follow, all of which belongs to the rest
 *
 * Source: migration/savevm.c and migration/ram.c, QEMU 7.2; the format of pages has been the same since 2.4.
 */
export class StreamSplitter {
  private state: 'header' | 'section' | 'records' | 'footer' | 'rest' = 'header'
  private held: Buffer = Buffer.alloc(0)
  private readonly ramSections = new Set<number>()
  private block = ''
  /** Bytes of block names and sizes that are still to come in the list of RAM blocks. */
  private listLeft = 0
  private inList = false
  private ended = false

  /** @param ramBlock QEMU's name of the block whose pages are wanted: the id of the memory backend */
  constructor(
    private readonly ramBlock: string,
    private readonly sink: SplitSink
  ) {}

  /** @throws protocol: what came is no stream of the known format */
  write(chunk: Buffer): void {
    if (this.state === 'rest') return this.sink.onRest(chunk)
    const bytes = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk])
    let at = 0
    let restFrom = 0
    for (;;) {
      const step = this.step(bytes, at)
      if (step === null) break
      if (step === 'rest') {
        this.state = 'rest'
        this.sink.onRest(bytes.subarray(restFrom))
        this.held = Buffer.alloc(0)
        return
      }
      if (step.drop) {
        if (at > restFrom) this.sink.onRest(bytes.subarray(restFrom, at))
        restFrom = step.next
      }
      at = step.next
    }
    if (at > restFrom) this.sink.onRest(bytes.subarray(restFrom, at))
    this.held = Buffer.from(bytes.subarray(at))
  }

  /** No more comes. @throws protocol: the stream was cut off before the devices */
  end(): void {
    if (this.ended) return
    this.ended = true
    if (this.state !== 'rest') throw broken('it ended before the state of the devices')
  }

  /** Reads what lies at `at`; null when not all of it is there yet. */
  private step(bytes: Buffer, at: number): { next: number; drop?: boolean } | 'rest' | null {
    switch (this.state) {
      case 'header':
        return this.readHeader(bytes, at)
      case 'section':
        return this.readSection(bytes, at)
      case 'records':
        return this.inList ? this.readBlock(bytes, at) : this.readRecord(bytes, at)
      case 'footer':
        return this.readFooter(bytes, at)
      case 'rest':
        return 'rest'
    }
  }

  private readHeader(bytes: Buffer, at: number): { next: number } | null {
    if (bytes.length < at + 8) return null
    if (bytes.readUInt32BE(at) !== MAGIC || bytes.readUInt32BE(at + 4) !== VERSION) throw broken('it does not begin like one')
    this.state = 'section'
    return { next: at + 8 }
  }

  private readSection(bytes: Buffer, at: number): { next: number } | 'rest' | null {
    if (bytes.length < at + 6) return null
    const kind = bytes[at]
    if (kind === SECTION.configuration) {
      const next = at + 5 + bytes.readUInt32BE(at + 1)
      return bytes.length < next ? null : { next }
    }
    const id = bytes.readUInt32BE(at + 1)
    if (kind === SECTION.start || kind === SECTION.full) {
      const next = at + 6 + bytes[at + 5]! + 8
      if (bytes.length < next) return null
      if (bytes.toString('latin1', at + 6, next - 8) !== 'ram') return 'rest'
      this.ramSections.add(id)
      this.state = 'records'
      return { next }
    }
    if ((kind === SECTION.part || kind === SECTION.last) && this.ramSections.has(id)) {
      this.state = 'records'
      return { next: at + 5 }
    }
    return 'rest'
  }

  /** Older machine types have none. */
  private readFooter(bytes: Buffer, at: number): { next: number } | null {
    if (bytes.length < at + 5) return null // a section, too, has at least as many
    this.state = 'section'
    return { next: bytes[at] === SECTION.footer ? at + 5 : at }
  }

  private readRecord(bytes: Buffer, at: number): { next: number; drop?: boolean } | null {
    if (bytes.length < at + 8) return null
    const low = bytes.readUInt32BE(at + 4)
    const flags = low & FLAGS
    const address = bytes.readUInt32BE(at) * 2 ** 32 + (low - flags)
    if (flags & FLAG.endOfSection) {
      this.state = 'footer'
      return { next: at + 8 }
    }
    if (flags & FLAG.memorySize) {
      this.listLeft = address
      this.inList = true
      return { next: at + 8 }
    }
    return this.readPage(bytes, at, flags, address)
  }

  private readPage(bytes: Buffer, at: number, flags: number, address: number): { next: number; drop: boolean } | null {
    let next = at + 8
    let { block } = this
    if (!(flags & FLAG.sameBlock)) {
      if (bytes.length < next + 1 || bytes.length < next + 1 + bytes[next]!) return null
      block = bytes.toString('latin1', next + 1, next + 1 + bytes[next]!)
      next += 1 + bytes[next]!
    }
    const zero = (flags & FLAG.zero) !== 0
    if (!zero && !(flags & FLAG.page)) throw broken(`it has pages of an unknown kind (${flags.toString(16)})`)
    const from = next
    next += zero ? 1 : PAGE_BYTES
    if (bytes.length < next) return null
    this.block = block
    if (block !== this.ramBlock) return { next, drop: false }
    if (zero) this.sink.onZeroPage(address)
    else this.sink.onPage(address, bytes.subarray(from, next))
    return { next, drop: true }
  }

  /** One entry of the list of RAM blocks: name and size. */
  private readBlock(bytes: Buffer, at: number): { next: number } | null {
    if (this.listLeft <= 0) {
      this.inList = false
      return { next: at }
    }
    if (bytes.length < at + 1) return null
    const next = at + 1 + bytes[at]! + 8
    if (bytes.length < next) return null
    const sizeBytes = Number(bytes.readBigUInt64BE(next - 8))
    if (bytes.toString('latin1', at + 1, next - 8) === this.ramBlock) this.sink.onMemory(sizeBytes)
    this.listLeft -= sizeBytes
    return { next }
  }
}

const broken = (why: string) => failure('protocol', `QEMU’s migration stream cannot be read: ${why}.`, { peer: 'QEMU' })
