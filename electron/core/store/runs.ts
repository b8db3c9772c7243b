/**
 * What a file consists of, as runs: so many chunks that follow each other in the file and in one pack, or so many chunks of zeros.
 * Packs are positions in a list that goes with the runs.
 */
export interface Run {
  chunks: number
  /** `ZEROS`, or a position in the list of packs. */
  pack: number
  first: number
}
/** In place of a pack: chunks of zeros, which are stored nowhere. */
export const ZEROS = 0xffffffff
const FIELDS = 3

/** A list of runs in the order of the file, grown at its end; neighbours that go on are joined. */
export class Runs {
  private constructor(
    private data: Uint32Array,
    private used: number
  ) {}

  static empty(): Runs {
    return new Runs(new Uint32Array(FIELDS * 64), 0)
  }

  /** As the native module answers them. */
  static fromRecords(records: Buffer): Runs {
    const runs = Runs.empty()
    for (let at = 0; at < records.length; at += 4 * FIELDS) runs.push(records.readUInt32LE(at), records.readUInt32LE(at + 4), records.readUInt32LE(at + 8))
    return runs
  }

  push(chunks: number, pack: number, first: number): void {
    if (chunks === 0) return
    const last = this.used - FIELDS
    const goesOn = last >= 0 && this.data[last + 1] === pack && (pack === ZEROS || this.data[last + 2]! + this.data[last]! === first)
    if (goesOn) {
      this.data[last]! += chunks
      return
    }
    if (this.used === this.data.length) {
      const bigger = new Uint32Array(this.data.length * 2)
      bigger.set(this.data)
      this.data = bigger
    }
    this.data[this.used++] = chunks
    this.data[this.used++] = pack
    this.data[this.used++] = pack === ZEROS ? 0 : first
  }

  append(more: Runs): void {
    for (const { chunks, pack, first } of more) this.push(chunks, pack, first)
  }

  get length(): number {
    return this.used / FIELDS
  }

  /** In all, zeros too. */
  get chunks(): number {
    let sum = 0
    for (let at = 0; at < this.used; at += FIELDS) sum += this.data[at]!
    return sum
  }

  /** Those that are not zeros. */
  get storedChunks(): number {
    let sum = 0
    for (let at = 0; at < this.used; at += FIELDS) if (this.data[at + 1] !== ZEROS) sum += this.data[at]!
    return sum
  }

  *[Symbol.iterator](): Generator<Run> {
    for (let at = 0; at < this.used; at += FIELDS) yield { chunks: this.data[at]!, pack: this.data[at + 1]!, first: this.data[at + 2]! }
  }

  /** The same by another list of packs. */
  renumbered(place: (pack: number) => number): Runs {
    const runs = Runs.empty()
    for (const { chunks, pack, first } of this) runs.push(chunks, pack === ZEROS ? ZEROS : place(pack), first)
    return runs
  }

  /**
   * Compact, and still well compressible: a varint each of chunks, pack (zeros as 0, others from 1) and how far `first` is from where
   * the last run of the same pack ended.
   */
  encode(): Buffer {
    const bytes: number[] = []
    const ends = new Map<number, number>()
    for (const { chunks, pack, first } of this) {
      putVarint(bytes, chunks)
      putVarint(bytes, pack === ZEROS ? 0 : pack + 1)
      if (pack === ZEROS) continue
      const step = first - (ends.get(pack) ?? 0)
      putVarint(bytes, step >= 0 ? step * 2 : -step * 2 - 1)
      ends.set(pack, first + chunks)
    }
    return Buffer.from(bytes)
  }

  /** @throws RangeError when the bytes are no such list, or name packs beyond `packs` */
  static decode(bytes: Buffer, packs: number): Runs {
    const runs = Runs.empty()
    const ends = new Map<number, number>()
    const cursor = { at: 0 }
    while (cursor.at < bytes.length) {
      const chunks = takeVarint(bytes, cursor)
      const pack = takeVarint(bytes, cursor) - 1
      if (pack >= packs || chunks === 0) throw new RangeError('a run that does not exist')
      if (pack < 0) {
        runs.push(chunks, ZEROS, 0)
        continue
      }
      const step = takeVarint(bytes, cursor)
      const first = (ends.get(pack) ?? 0) + (step % 2 === 0 ? step / 2 : -(step + 1) / 2)
      if (first < 0 || first + chunks > 0xffffffff) throw new RangeError('a run outside of its pack')
      runs.push(chunks, pack, first)
      ends.set(pack, first + chunks)
    }
    return runs
  }
}

function putVarint(bytes: number[], value: number): void {
  while (value >= 0x80) {
    bytes.push((value % 0x80) | 0x80)
    value = Math.floor(value / 0x80)
  }
  bytes.push(value)
}

function takeVarint(bytes: Buffer, cursor: { at: number }): number {
  let value = 0
  for (let factor = 1; ; factor *= 0x80) {
    const byte = bytes[cursor.at++]
    if (byte === undefined || factor > 2 ** 42) throw new RangeError('a number that does not end')
    value += (byte & 0x7f) * factor
    if (byte < 0x80) return value
  }
}
