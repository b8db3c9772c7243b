import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { failure, Failure, type AppError } from '#contract'
import { exists, listFolder, readBytes, removeFile, syncFile, writeFileAtomic } from '../host/files'
import { decodeArchive, decodeHead, type Archive, type ArchiveHead } from './archive-format'
import { PackProblem } from './pack-format'
import { packFailure } from './packs'

const ENDING = '.archive'

/** An archive that is there, or why it cannot be read. */
export type Listed = { path: string; head: ArchiveHead; bytes: number } | { path: string; head: null; bytes: number; error: AppError }

/** The folder of archives: an archive exists when its file does, which is written when all of its chunks are stored. */
export class Archives {
  private turn: Promise<unknown> = Promise.resolve()

  constructor(readonly folder: string) {}

  /** A file name of its own for every name, whatever its letters. */
  pathOf(name: string): string {
    return join(this.folder, createHash('sha256').update(name).digest('hex').slice(0, 32) + ENDING)
  }

  paths(): Promise<string[]> {
    return listFolder(this.folder).then((names) => names.filter((name) => name.endsWith(ENDING) && !name.startsWith('.')).map((name) => join(this.folder, name)))
  }

  has(name: string): Promise<boolean> {
    return exists(this.pathOf(name))
  }

  /** Every archive, the newest first. One that cannot be read hides no other. */
  async list(): Promise<Listed[]> {
    const listed = await Promise.all((await this.paths()).map((path) => this.head(path)))
    return listed.filter((one) => one !== null).sort((a, b) => (b.head?.savedAtMs ?? 0) - (a.head?.savedAtMs ?? 0))
  }

  /** @throws not-found, bad-file, newer-version */
  async read(name: string): Promise<Archive> {
    try {
      return await this.readAt(this.pathOf(name))
    } catch (error) {
      if (error instanceof Failure && error.error.code === 'not-found') throw notFound(name, error)
      throw error
    }
  }

  /** @throws not-found, bad-file, newer-version */
  async readAt(path: string): Promise<Archive> {
    const bytes = await readBytes(path)
    return this.decoded(path, () => decodeArchive(bytes))
  }

  /** Makes an archive, or replaces it as a whole. */
  write(name: string, encoded: Buffer): Promise<void> {
    return writeFileAtomic(this.pathOf(name), encoded)
  }

  /** Replaces an archive that may have been removed meanwhile: then it stays so. */
  rewrite(path: string, encoded: Buffer): Promise<void> {
    return this.inTurn(async () => {
      if (await exists(path)) await writeFileAtomic(path, encoded)
    })
  }

  /** @throws not-found */
  remove(name: string): Promise<void> {
    return this.inTurn(async () => {
      if (!(await this.has(name))) throw notFound(name)
      await removeFile(this.pathOf(name))
      await syncFile(this.folder)
    })
  }

  /** Removing needs not wait for the store's writer, but must not come between the clean-up's look and its writing. */
  private inTurn<T>(act: () => Promise<T>): Promise<T> {
    const mine = this.turn.then(act)
    this.turn = mine.catch(() => {}) // told to whoever asked for it
    return mine
  }

  private async head(path: string): Promise<Listed | null> {
    const bytes = await readBytes(path).catch((error: unknown) => {
      if (error instanceof Failure && error.error.code === 'not-found') return null // removed meanwhile
      throw error
    })
    if (!bytes) return null
    try {
      return { path, bytes: bytes.length, head: await this.decoded(path, async () => decodeHead(bytes).head) }
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return { path, bytes: bytes.length, head: null, error: error.error }
    }
  }

  private async decoded<T>(path: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      throw error instanceof PackProblem ? packFailure(path, error, 'archive') : error
    }
  }
}

const notFound = (name: string, cause?: unknown): Failure =>
  failure('not-found', `There is no archive “${name}” in the store.`, { what: 'archive', name, next: 'See the list of archives.', cause })
