import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { failure, Failure } from '#contract'
import { fileFailure } from './file-failure'
import { kindOf } from './peek'

/** What tells a file from every other one, and from itself after a change. */
export interface FileIdentity {
  device: string
  inode: string
  sizeBytes: number
  modifiedNs: string
  changedNs: string
}

/** An open file whose errors name it. Whoever opens it closes it. */
export class OpenFile {
  private constructor(
    readonly path: string,
    private readonly handle: FileHandle
  ) {}

  /** @throws not-found, file, bad-file when it is a folder, a pipe or the like */
  static async read(path: string): Promise<OpenFile> {
    try {
      // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for good, and hold a thread for as long.
      const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
      const facts = await handle.stat()
      const kind = facts.isBlockDevice() ? null : kindOf(facts)
      if (kind === null) return new OpenFile(path, handle)
      await handle.close()
      throw failure('bad-file', `“${path}” is ${kind}, not a file.`, { path, next: 'Choose a file.' })
    } catch (error) {
      throw error instanceof Failure ? error : fileFailure(error, path, 'read')
    }
  }

  /** A new file for this user alone; fails when there is one already. @throws file, no-space */
  static async create(path: string): Promise<OpenFile> {
    try {
      return new OpenFile(path, await open(path, 'wx+', 0o600))
    } catch (error) {
      throw fileFailure(error, path, 'made')
    }
  }

  get fd(): number {
    return this.handle.fd
  }

  async sizeBytes(): Promise<number> {
    return (await this.handle.stat()).size
  }

  async identity(): Promise<FileIdentity> {
    const { dev, ino, size, mtimeNs, ctimeNs } = await this.handle.stat({ bigint: true })
    return { device: String(dev), inode: String(ino), sizeBytes: Number(size), modifiedNs: String(mtimeNs), changedNs: String(ctimeNs) }
  }

  /** Exactly so many bytes. @throws bad-file when the file ends before */
  async bytes(offset: number, count: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(count)
    for (let done = 0; done < count; ) {
      const { bytesRead } = await this.guarded('read', () => this.handle.read(buffer, done, count - done, offset + done))
      if (bytesRead === 0) throw failure('bad-file', `“${this.path}” is damaged: it ends too soon.`, { path: this.path })
      done += bytesRead
    }
    return buffer
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.guarded('written', () => this.handle.write(bytes, done, bytes.length - done, offset + done))
      done += bytesWritten
    }
  }

  /** Makes it this long; what is added is a hole. */
  resize(sizeBytes: number): Promise<void> {
    return this.guarded('written', () => this.handle.truncate(sizeBytes))
  }

  sync(): Promise<void> {
    return this.guarded('written', () => this.handle.sync())
  }

  close(): Promise<void> {
    return this.handle.close()
  }

  /** Errors of `act`, also the native module's, name this file. */
  async guarded<T>(verb: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      throw fileFailure(error, this.path, verb)
    }
  }
}
