import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { failure, Failure } from '#contract'
import { fileFacts, listFolder, removeFile, syncFile } from '../host/files'
import { OpenFile } from '../host/open-file'
import { decodeFooter, decodeHeader, decodeTrailer, HEADER_BYTES, PackProblem, TRAILER_BYTES } from './pack-format'

const ENDING = '.pack'
const PART = '.part'
/** Packs that nobody reads are kept open, up to so many: each with its index in memory, some megabytes of a big one. */
const KEPT_OPEN = 16

/** A pack that can be read. */
export interface Pack {
  id: string
  file: OpenFile
  fileBytes: number
  chunkBytes: number
  frameChunks: number
  chunks: number
  frames: Buffer
  hashes: Buffer
}

interface Entry {
  pack: Promise<Pack>
  users: number
}

/**
 * The folder of packs. Packs never change and their names are never used again, so that whoever has one open may read it for as long as
 * it likes, also when it was removed meanwhile.
 */
export class Packs {
  private readonly opened = new Map<string, Entry>()

  constructor(readonly folder: string) {}

  /** The ids of all packs that are whole. */
  async list(): Promise<string[]> {
    const names = (await listFolder(this.folder)).filter((name) => name.endsWith(ENDING))
    return names.map((name) => name.slice(0, -ENDING.length)).sort()
  }

  pathOf(id: string): string {
    return join(this.folder, id + ENDING)
  }

  /** A name for a new pack, and where it is written until it is whole. */
  newPart(): { id: string; path: string } {
    const id = randomBytes(8).toString('hex')
    return { id, path: join(this.folder, id + PART) }
  }

  /** Removes what savings that were cut off left. Only for the one writer. */
  async removeParts(): Promise<void> {
    for (const name of await listFolder(this.folder)) if (name.endsWith(PART)) await removeFile(join(this.folder, name))
  }

  async bytesOf(id: string): Promise<number> {
    return (await fileFacts(this.pathOf(id))).allocatedBytes
  }

  /**
   * Does something with packs, which stay open meanwhile.
   * @throws not-found, bad-file, newer-version, file
   */
  async use<T>(ids: readonly string[], act: (packs: Pack[]) => Promise<T>): Promise<T> {
    const entries: [string, Entry][] = []
    try {
      for (const id of ids) entries.push([id, this.take(id)])
      return await act(await Promise.all(entries.map(([, entry]) => entry.pack)))
    } finally {
      for (const [, entry] of entries) entry.users--
      await Promise.allSettled(entries.map(([, entry]) => entry.pack))
      await this.closeUnused(KEPT_OPEN)
    }
  }

  /** In this order: whoever still needs them finds another place for their chunks first. */
  async remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) await removeFile(this.pathOf(id))
    if (ids.length > 0) await syncFile(this.folder)
  }

  /** Closes what nobody uses. */
  close(): Promise<void> {
    return this.closeUnused(0)
  }

  private take(id: string): Entry {
    let entry = this.opened.get(id)
    if (entry) this.opened.delete(id) // it goes to the end: the first ones are those that were not used for longest
    else {
      const made: Entry = { pack: this.open(id), users: 0 }
      made.pack.catch(() => this.opened.get(id) === made && this.opened.delete(id))
      entry = made
    }
    this.opened.set(id, entry)
    entry.users++
    return entry
  }

  private async open(id: string): Promise<Pack> {
    const file = await OpenFile.read(this.pathOf(id))
    try {
      return await readPack(id, file)
    } catch (error) {
      await file.close()
      if (!(error instanceof PackProblem)) throw error
      throw packFailure(file.path, error)
    }
  }

  private async closeUnused(kept: number): Promise<void> {
    for (const [id, entry] of [...this.opened]) {
      if (this.opened.size <= kept) return
      if (entry.users > 0) continue
      this.opened.delete(id)
      await (await entry.pack).file.close()
    }
  }
}

export function packFailure(path: string, problem: PackProblem, what = 'pack'): Failure {
  if (problem.newer) return failure('newer-version', `“${path}” was written by a newer version of Strata.`, { path, next: 'Use that version; this one leaves the file as it is.' })
  return failure('bad-file', `The ${what} “${path}” is damaged: ${problem.message}.`, { path, next: 'Verify the store: it names what this touches.' })
}

async function readPack(id: string, file: OpenFile): Promise<Pack> {
  const fileBytes = await file.sizeBytes()
  if (fileBytes < HEADER_BYTES + TRAILER_BYTES) throw new PackProblem('it ends too soon')
  const [header, trailer] = await Promise.all([file.bytes(0, HEADER_BYTES), file.bytes(fileBytes - TRAILER_BYTES, TRAILER_BYTES)])
  const { chunkBytes, frameChunks } = decodeHeader(header)
  const { footerOffset, footerBytes, chunks } = decodeTrailer(trailer, fileBytes)
  const footer = decodeFooter(header, await file.bytes(footerOffset, footerBytes), trailer)
  return { id, file, fileBytes, chunkBytes, frameChunks, chunks, ...footer }
}
