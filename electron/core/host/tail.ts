import { watch, type FSWatcher } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { fileFailure } from './files'

const CHUNK_BYTES = 64 * 1024

/**
 * Reads a file that another process appends to, at the reader's own pace: nothing is lost and nothing is buffered, as the
 * file itself holds what has not been read. Woken by inotify.
 */
export class FileTail {
  private wake: (() => void) | null = null
  private changed = false
  private complete = false
  private closed = false

  private constructor(
    private readonly file: FileHandle,
    private readonly watcher: FSWatcher,
    private offset: number
  ) {
    watcher.on('change', () => this.poke())
    watcher.on('error', () => this.poke())
  }

  /**
   * @param fromByte where to begin; beyond the end means at the end
   * @param holeFromBytes a file at least this big may have lost its beginning (a hole): it is skipped
   */
  static async open(path: string, fromByte: number, holeFromBytes = Infinity): Promise<FileTail> {
    try {
      const watcher = watch(path, { persistent: false })
      const file = await open(path, 'r').catch((error: unknown) => {
        watcher.close()
        throw error
      })
      const { size, blocks } = await file.stat()
      const hole = size >= holeFromBytes ? Math.max(0, size - blocks * 512) : 0
      return new FileTail(file, watcher, Math.min(Math.max(fromByte, hole), size))
    } catch (error) {
      throw fileFailure(error, path, 'read')
    }
  }

  /** The next bytes, waiting for some; null at the end, once `finish` was called or after `close`. */
  async read(): Promise<Buffer | null> {
    for (;;) {
      if (this.closed) return null
      this.changed = false
      const wasComplete = this.complete // before the read: what was appended earlier is then seen by it
      const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
      const { bytesRead } = await this.file.read(buffer, 0, CHUNK_BYTES, this.offset)
      if (bytesRead > 0) {
        this.offset += bytesRead
        return buffer.subarray(0, bytesRead)
      }
      if (wasComplete) return null
      if (!this.changed) await new Promise<void>((resolve) => (this.wake = resolve))
    }
  }

  /** Nothing will be appended any more: what is there is still read, then comes the end. */
  finish(): void {
    this.complete = true
    this.poke()
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    this.watcher.close()
    this.poke()
    await this.file.close()
  }

  private poke(): void {
    this.changed = true
    this.wake?.()
    this.wake = null
  }
}
