import { BATCH_BYTES, chunkEngine, type ChunkEngine, type ChunkWriter } from '../host/chunk-engine'
import { move, removeFile } from '../host/files'
import { OpenFile } from '../host/open-file'
import { encodeFooter, encodeHeader, HEADER_BYTES, type PackHeader } from './pack-format'
import type { Packs } from './packs'
import { Runs } from './runs'

export interface PackSettings {
  chunkBytes: number
  /** About so much is compressed together: the more, the smaller the store, and the more is read for one chunk. */
  frameBytes: number
  /** Of zstd. */
  level: number
  /** A pack that has become so big is closed, and another one begun. */
  packBytes: number
}

/** The pack that is being written: a part file until it is whole. */
interface Part {
  id: string
  file: OpenFile
}

/**
 * Writes chunks that are not stored yet into new packs. A pack gets its name when it is whole and on the disk; until all archives that need
 * it are written too, it is superfluous, and harmless.
 */
export class PackWriting {
  /** By position, as runs name them: known packs first, then new ones. */
  readonly packIds: string[] = []
  addedBytes = 0
  private readonly engine: ChunkEngine = chunkEngine()
  private readonly writer: ChunkWriter
  private readonly header: PackHeader
  private part: Part | null = null

  constructor(
    private readonly packs: Packs,
    private readonly settings: PackSettings
  ) {
    const { chunkBytes, frameBytes, level } = settings
    this.header = { chunkBytes, frameChunks: Math.max(1, Math.floor(frameBytes / chunkBytes)) }
    this.writer = this.engine.writer(chunkBytes, frameBytes, level)
  }

  /**
   * Chunks of these packs need not be stored again. Packs with chunks of another size are passed over, and so are packs that are damaged,
   * and chunks that are known to be.
   */
  async know(ids: readonly string[], damaged: ReadonlyMap<string, readonly number[] | 'all'>): Promise<void> {
    for (const id of ids) {
      if (damaged.get(id) === 'all') continue
      const bad = damaged.get(id) as readonly number[] | undefined
      await this.packs.use([id], async ([pack]) => {
        if (!pack || pack.chunkBytes !== this.settings.chunkBytes) return
        this.packIds.push(id)
        await this.engine.know(this.writer, this.packIds.length - 1, pack.hashes, bad ? skipping(bad, pack.chunks) : null)
      })
    }
  }

  /** Begins the first pack. */
  async begin(): Promise<void> {
    const { id, path } = this.packs.newPart()
    this.part = { id, file: await OpenFile.create(path) }
    this.packIds.push(id)
    await this.part.file.write(encodeHeader(this.header), 0)
    this.engine.turn(this.writer, this.part.file.fd, this.packIds.length - 1, HEADER_BYTES)
  }

  /** Saves a piece of a file or of memory, a batch at most. Its runs name packs by their position in `packIds`. */
  async add(from: OpenFile | Buffer, offset: number, bytes: number): Promise<Runs> {
    const add = () => this.engine.add(this.writer, from instanceof OpenFile ? from.fd : from, offset, bytes)
    return Runs.fromRecords(from instanceof OpenFile ? await this.namingTheFile(from, add) : await this.current.file.guarded('written', add))
  }

  /** How much `add` takes at most: whole chunks. */
  get batchBytes(): number {
    return Math.max(BATCH_BYTES, this.settings.chunkBytes)
  }

  /** Between batches, while none is under way: a pack that is big enough is closed, and another begun. */
  async turnIfFull(): Promise<void> {
    if (this.engine.written(this.writer) < this.settings.packBytes) return
    await this.seal()
    await this.begin()
  }

  /** Makes the pack whole. Nothing is left of one that got no chunk. */
  async seal(): Promise<void> {
    const { id, file } = this.current
    const { frames, hashes, end } = await file.guarded('written', () => this.engine.finish(this.writer))
    if (hashes.length === 0) return this.abandon()
    const footer = encodeFooter(this.header, { frames, hashes }, end)
    await file.write(footer, end)
    await file.sync()
    await file.close()
    this.part = null
    this.addedBytes += end + footer.length
    await move(file.path, this.packs.pathOf(id))
  }

  /** Gives the part up. */
  async abandon(): Promise<void> {
    const { part } = this
    this.part = null
    if (!part) return
    await part.file.close()
    await removeFile(part.file.path)
  }

  private get current(): Part {
    if (!this.part) throw new Error('no pack is being written')
    return this.part
  }

  /** The engine's error may be of the file that is read or of the pack: a full disk can only be the pack's. */
  private async namingTheFile(from: OpenFile, act: () => Promise<Buffer>): Promise<Buffer> {
    try {
      return await act()
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      const written = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
      return (written ? this.current.file : from).guarded(written ? 'written' : 'read', () => Promise.reject(error as Error))
    }
  }
}

/** A byte for each chunk. */
function skipping(bad: readonly number[], chunks: number): Buffer {
  const skip = Buffer.alloc(chunks)
  for (const number of bad) if (number < chunks) skip[number] = 1
  return skip
}

