import { createHash, type Hash } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, deflateRaw, inflateRaw } from 'node:zlib'
import { z } from 'zod'
import { failure, ImageRecord, SnapshotRecord } from '#contract'
import { OpenFile } from '../host/open-file'
import { throwIfCancelled } from '../task/work'

/**
 * A snapshot as one file. All numbers are little-endian.
 *
 *   "STRATA-SNAPSHOT\n"   length (4 bytes)   head (JSON)   SHA-256 of the head
 *   blocks:  file (4)  offset (8)  bytes (4)  stored bytes (4)  SHA-256 of the bytes (32)  the bytes, deflated if that is less
 *   end:     file = 2^32 - 1, and in place of the hash that of all block heads before: nothing was taken out
 *
 * Blocks of zeros are left out. It is read and written from the beginning to the end.
 */
const MAGIC = Buffer.from('STRATA-SNAPSHOT\n')
const BLOCK_BYTES = 2 ** 20
const BLOCK_HEAD_BYTES = 52
const END = 2 ** 32 - 1
const LONGEST_HEAD_BYTES = 16 * 2 ** 20
/** Blocks that are compressed or uncompressed side by side: as many as Node's thread pool has threads. */
const SIDE_BY_SIDE = 4
const HASH_BYTES = 32

const deflate = promisify(deflateRaw)
const inflate = promisify(inflateRaw)

const FileName = z.string().regex(/^(?:(?:disks|images\/\d{1,3})\/)?[A-Za-z0-9][A-Za-z0-9._-]{0,200}$/)
const Print = z.object({ sizeBytes: z.number().int().nonnegative(), headSha256: z.string() })

export const BundleHead = z.object({
  schemaVersion: z.literal(1),
  record: SnapshotRecord,
  /** Memory in a file of its own: what that has to hold. Null when it is in here, or there is none. */
  beside: z.object({ sizeBytes: z.number(), modifiedAtMs: z.number(), sha256: z.string() }).nullable(),
  /** The images that it stands on; those with `inside` are in here, as `images/<position>/...`. */
  images: z.array(z.object({ record: ImageRecord, print: Print, inside: z.boolean() })),
  files: z.array(z.object({ name: FileName, sizeBytes: z.number().int().nonnegative(), dataBytes: z.number().nonnegative() }))
})
export type BundleHead = z.output<typeof BundleHead>

export interface Watch {
  signal: AbortSignal
  /** How many more bytes of the files are done. */
  onBytes: (bytes: number) => void
}

/** Writes such a file. Whoever makes one ends it with `finish` or `abandon`. */
export class BundleWriter {
  private at = 0
  private readonly heads = createHash('sha256')
  private constructor(private readonly file: OpenFile) {}

  /** @throws file, no-space */
  static async create(path: string, head: BundleHead): Promise<BundleWriter> {
    const writer = new BundleWriter(await OpenFile.create(path))
    const json = Buffer.from(JSON.stringify(head))
    const length = Buffer.alloc(4)
    length.writeUInt32LE(json.length)
    await writer.write(Buffer.concat([MAGIC, length, json, sha256(json)]))
    return writer
  }

  /** The content of a file, as number `index` of the head's list. @throws bad-file when it has become shorter, no-space, cancelled */
  async add(index: number, path: string, sizeBytes: number, { signal, onBytes }: Watch): Promise<void> {
    const source = await OpenFile.read(path)
    try {
      for (let from = 0; from < sizeBytes; from += SIDE_BY_SIDE * BLOCK_BYTES) {
        throwIfCancelled(signal)
        const offsets = Array.from({ length: SIDE_BY_SIDE }, (_, i) => from + i * BLOCK_BYTES).filter((offset) => offset < sizeBytes)
        const blocks = await Promise.all(offsets.map((offset) => encodeBlock(source, index, offset, Math.min(BLOCK_BYTES, sizeBytes - offset))))
        for (const block of blocks) if (block) await this.addBlock(block)
        onBytes(Math.min(sizeBytes, from + SIDE_BY_SIDE * BLOCK_BYTES) - from)
      }
    } finally {
      await source.close()
    }
  }

  async finish(): Promise<void> {
    const end = Buffer.alloc(BLOCK_HEAD_BYTES)
    end.writeUInt32LE(END)
    this.heads.digest().copy(end, BLOCK_HEAD_BYTES - HASH_BYTES)
    await this.write(end)
    await this.file.sync()
    await this.file.close()
  }

  /** The caller removes the file. */
  abandon(): Promise<void> {
    return this.file.close()
  }

  private async addBlock({ head, stored }: Block): Promise<void> {
    this.heads.update(head)
    await this.write(head)
    await this.write(stored)
  }

  private async write(bytes: Buffer): Promise<void> {
    await this.file.write(bytes, this.at)
    this.at += bytes.length
  }
}

interface Block {
  head: Buffer
  stored: Buffer
}

async function encodeBlock(source: OpenFile, index: number, offset: number, bytes: number): Promise<Block | null> {
  const content = await source.bytes(offset, bytes)
  if (content.equals(ZEROS.subarray(0, bytes))) return null
  const smaller = await deflate(content, { level: constants.Z_BEST_SPEED })
  const stored = smaller.length < bytes ? smaller : content
  const head = Buffer.alloc(BLOCK_HEAD_BYTES)
  head.writeUInt32LE(index, 0)
  head.writeBigUInt64LE(BigInt(offset), 4)
  head.writeUInt32LE(bytes, 12)
  head.writeUInt32LE(stored.length, 16)
  sha256(content).copy(head, 20)
  return { head, stored }
}

interface FoundBlock {
  index: number
  name: string
  offset: number
  bytes: number
  hash: Buffer
  stored: Buffer
}

/** Reads such a file. Whoever opens it closes it. */
export class BundleReader {
  private constructor(
    private readonly file: OpenFile,
    readonly head: BundleHead,
    private at: number
  ) {}

  /** @throws not-found, bad-file, newer-version */
  static async open(path: string): Promise<BundleReader> {
    const file = await OpenFile.read(path)
    try {
      const { json, at } = await readHead(file)
      return new BundleReader(file, json, at)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  close(): Promise<void> {
    return this.file.close()
  }

  /**
   * Makes the files that are in here, as sparse as can be.
   * @param targetOf where each goes; null leaves it out
   * @throws bad-file naming what is damaged, no-space, cancelled
   */
  async extract(targetOf: (name: string) => string | null, watch: Watch): Promise<void> {
    const targets: (OpenFile | null)[] = []
    try {
      for (const { name, sizeBytes } of this.head.files) {
        const path = targetOf(name)
        const target = path === null ? null : await OpenFile.create(path)
        targets.push(target)
        await target?.resize(sizeBytes)
      }
      await this.readBlocks(targets, watch)
      for (const target of targets) await target?.sync()
    } finally {
      for (const target of targets) await target?.close()
    }
  }

  private async readBlocks(targets: readonly (OpenFile | null)[], { signal, onBytes }: Watch): Promise<void> {
    const heads = createHash('sha256')
    const underWay: Promise<void>[] = []
    try {
      for (let block = await this.next(heads); block; block = await this.next(heads)) {
        throwIfCancelled(signal)
        underWay.push(this.place(block, targets[block.index] ?? null))
        if (underWay.length >= SIDE_BY_SIDE) {
          await Promise.all(underWay)
          underWay.length = 0
        }
        onBytes(block.bytes)
      }
      await Promise.all(underWay)
    } finally {
      await Promise.allSettled(underWay) // nothing writes any more when the files are closed
    }
  }

  /** The next block; null at the end. */
  private async next(heads: Hash): Promise<FoundBlock | null> {
    const head = await this.file.bytes(this.at, BLOCK_HEAD_BYTES)
    this.at += BLOCK_HEAD_BYTES
    const index = head.readUInt32LE(0)
    const hash = head.subarray(BLOCK_HEAD_BYTES - HASH_BYTES)
    if (index === END) {
      if (hash.equals(heads.digest())) return null
      throw this.damaged('parts of it are missing')
    }
    heads.update(head)
    const [offset, bytes, storedBytes] = [Number(head.readBigUInt64LE(4)), head.readUInt32LE(12), head.readUInt32LE(16)]
    const about = this.head.files[index]
    if (!about || bytes > BLOCK_BYTES || storedBytes > bytes || offset + bytes > about.sizeBytes) throw this.damaged('a part of it belongs to none of its files')
    const stored = await this.file.bytes(this.at, storedBytes)
    this.at += storedBytes
    return { index, name: about.name, offset, bytes, hash, stored }
  }

  private async place({ name, offset, bytes, hash, stored }: FoundBlock, target: OpenFile | null): Promise<void> {
    const content = stored.length === bytes ? stored : await inflate(stored, { maxOutputLength: BLOCK_BYTES }).catch(() => null) // then the hash is wrong, too
    if (!content || content.length !== bytes || !sha256(content).equals(hash)) throw this.damaged(`“${name}” is not as it was written, at ${offset}`)
    await target?.write(content, offset)
  }

  private damaged(what: string) {
    return failure('bad-file', `“${this.file.path}” is damaged: ${what}.`, { path: this.file.path, next: 'Export the snapshot again, or copy the file anew.' })
  }
}

async function readHead(file: OpenFile): Promise<{ json: BundleHead; at: number }> {
  const { path } = file
  if ((await file.sizeBytes()) < MAGIC.length + 4 || !(await file.bytes(0, MAGIC.length)).equals(MAGIC)) {
    throw failure('bad-file', `“${path}” is no exported snapshot.`, { path, next: 'Choose a file that “strata snapshot export” made.' })
  }
  const length = (await file.bytes(MAGIC.length, 4)).readUInt32LE()
  if (length > LONGEST_HEAD_BYTES) throw failure('bad-file', `“${path}” is damaged: its head cannot be that long.`, { path })
  const from = MAGIC.length + 4
  const json = await file.bytes(from, length)
  const at = from + length + HASH_BYTES
  if (!sha256(json).equals(await file.bytes(from + length, HASH_BYTES))) throw failure('bad-file', `“${path}” is damaged: its head is not as it was written.`, { path })
  const value = JSON.parse(json.toString()) as { schemaVersion?: unknown }
  if (typeof value.schemaVersion === 'number' && value.schemaVersion > 1) {
    throw failure('newer-version', `“${path}” was exported by a newer version of Strata.`, { path, next: 'Import it with that version.' })
  }
  const parsed = BundleHead.safeParse(value)
  if (!parsed.success) throw failure('bad-file', `“${path}” is no snapshot that this version can read.`, { path, cause: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) })
  return { json: parsed.data, at }
}

const ZEROS = Buffer.alloc(BLOCK_BYTES)
const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest()
