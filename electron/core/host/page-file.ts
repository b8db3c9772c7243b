import { open, type FileHandle } from 'node:fs/promises'
import { fileFailure } from './file-failure'

const RUN_BYTES = 2 ** 20
const MOST_IN_FLIGHT = 8

/**
 * A file that is written at scattered places, in the order in which the pieces come: pieces that follow each other are written together, some
 * at a time. What is never written stays a hole.
 */
export class PageFile {
  private run: { at: number; bytes: Buffer; length: number } | null = null
  private readonly inFlight = new Set<Promise<void>>()
  private failed: Error | null = null

  private constructor(
    private readonly path: string,
    private readonly file: FileHandle
  ) {}

  /** @throws already-exists, file */
  static async create(path: string): Promise<PageFile> {
    try {
      return new PageFile(path, await open(path, 'wx', 0o600))
    } catch (error) {
      throw fileFailure(error, path, 'made')
    }
  }

  /** Takes the piece: the buffer can be used for something else afterwards. */
  write(at: number, piece: Buffer): void {
    const { run } = this
    if (run && (run.at + run.length !== at || run.length + piece.length > RUN_BYTES)) this.flush()
    this.run ??= { at, bytes: Buffer.allocUnsafe(RUN_BYTES), length: 0 }
    piece.copy(this.run.bytes, this.run.length)
    this.run.length += piece.length
  }

  /** Fulfilled when more should be written; whoever does not wait fills the memory. @throws no-space, file */
  async room(): Promise<void> {
    while (this.inFlight.size >= MOST_IN_FLIGHT && this.failed === null) await Promise.race(this.inFlight)
    if (this.failed !== null) throw fileFailure(this.failed, this.path, 'written')
  }

  /** Writes out what is left, gives the file its size and closes it. @throws no-space, file */
  async finish(sizeBytes: number): Promise<void> {
    try {
      this.flush()
      await Promise.all(this.inFlight)
      if (this.failed !== null) throw this.failed
      await this.file.truncate(sizeBytes)
      await this.file.datasync()
    } catch (error) {
      throw fileFailure(error, this.path, 'written')
    } finally {
      await this.file.close()
    }
  }

  /** Closes it as it is: the caller removes it. */
  async abandon(): Promise<void> {
    await Promise.all(this.inFlight)
    await this.file.close().catch(() => {}) // closed already
  }

  private flush(): void {
    const { run } = this
    if (!run) return
    this.run = null
    const written: Promise<void> = this.writeAll(run.bytes.subarray(0, run.length), run.at)
      .catch((error: unknown) => void (this.failed ??= error as Error))
      .finally(() => this.inFlight.delete(written))
    this.inFlight.add(written)
  }

  private async writeAll(bytes: Buffer, at: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) done += (await this.file.write(bytes, done, bytes.length - done, at + done)).bytesWritten
  }
}
