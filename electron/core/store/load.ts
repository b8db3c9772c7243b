import { failure } from '#contract'
import { chunkEngine, ENGINE_THREADS } from '../host/chunk-engine'
import type { OpenFile } from '../host/open-file'
import { throwIfCancelled } from '../task/work'
import { HASH_BYTES } from './pack-format'
import type { Pack } from './packs'
import { ZEROS, type Runs } from './runs'

/** Chunks of a pack that belong at an offset of what is loaded. */
export interface Piece {
  first: number
  count: number
  offset: number
}

/** About so many chunks' bytes are loaded by one call of the engine. */
const TASK_BYTES = 4 * 2 ** 20

/**
 * What of each pack goes where, for a part of a file.
 * @param from,until in bytes of the file: chunks that have a part in between
 * @param shift is taken off each offset
 */
export function piecesOf(runs: Runs, chunkBytes: number, from = 0, until = Infinity, shift = 0): Map<number, Piece[]> {
  const pieces = new Map<number, Piece[]>()
  const [firstChunk, endChunk] = [Math.floor(from / chunkBytes), Math.ceil(until / chunkBytes)]
  let at = 0
  for (const { chunks, pack, first } of runs) {
    const skipped = Math.max(0, firstChunk - at)
    const count = Math.min(chunks, endChunk - at) - skipped
    if (pack !== ZEROS && count > 0) {
      const piece = { first: first + skipped, count, offset: (at + skipped) * chunkBytes - shift }
      const list = pieces.get(pack)
      if (list) list.push(piece)
      else pieces.set(pack, [piece])
    }
    at += chunks
    if (at >= endChunk) break
  }
  return pieces
}

/**
 * Pieces of one pack, in tasks that may run side by side: each has a stretch of whole frames of its own, in order, so that every frame is
 * uncompressed once.
 */
export function tasksOf(pieces: readonly Piece[], { frameChunks, chunkBytes }: Pick<Pack, 'frameChunks' | 'chunkBytes'>): Piece[][] {
  const stretch = Math.max(1, Math.floor(TASK_BYTES / chunkBytes / frameChunks)) * frameChunks
  const tasks = new Map<number, Piece[]>()
  for (const whole of pieces) {
    let { first, count, offset } = whole
    while (count > 0) {
      const task = Math.floor(first / stretch)
      const part = Math.min(count, (task + 1) * stretch - first)
      const list = tasks.get(task)
      if (list) list.push({ first, count: part, offset })
      else tasks.set(task, [{ first, count: part, offset }])
      first += part
      count -= part
      offset += part * chunkBytes
    }
  }
  return [...tasks.values()].map((task) => task.sort((a, b) => a.first - b.first))
}

export interface Loading {
  pack: Pack
  pieces: Piece[]
  /** A file, memory, or null: then the chunks are only checked. */
  target: OpenFile | Buffer | null
  targetBytes: number
}

/** The numbers of chunks that are damaged. @throws no-space, file: what the target answers */
export async function loadPieces({ pack, pieces, target, targetBytes }: Loading): Promise<number[]> {
  const where = target === null ? -1 : Buffer.isBuffer(target) ? target : target.fd
  const load = () => chunkEngine().load(pack.file.fd, pack.chunkBytes, pack.frameChunks, pack.frames, pack.hashes, encodePieces(pieces), where, targetBytes)
  const bad = await (target === null || Buffer.isBuffer(target) ? pack.file.guarded('read', load) : target.guarded('written', load))
  return Array.from({ length: bad.length / 4 }, (_, i) => bad.readUInt32LE(4 * i))
}

function encodePieces(pieces: readonly Piece[]): Buffer {
  const words = new Uint32Array(pieces.length * 4)
  for (const [i, { first, count, offset }] of pieces.entries()) words.set([first, count, offset >>> 0, Math.floor(offset / 2 ** 32)], 4 * i)
  return Buffer.from(words.buffer)
}

/** Carries out what there is, some at a time. Stops at the first failure, when those under way have ended. */
export async function sideBySide<T>(all: Iterable<T>, signal: AbortSignal, act: (one: T) => Promise<void>): Promise<void> {
  const iterator = all[Symbol.iterator]()
  let failed = false
  const worker = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done && !failed; next = iterator.next()) {
      throwIfCancelled(signal)
      await act(next.value).catch((error: unknown) => {
        failed = true
        throw error
      })
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: ENGINE_THREADS }, worker))
  for (const one of ended) if (one.status === 'rejected') throw one.reason
}

/** @throws bad-file naming the first damaged chunk and the file it belongs to */
export function throwIfDamaged(pack: Pack, bad: readonly number[], archive: string, file: string): void {
  const [first] = bad
  if (first === undefined) return
  const more = bad.length > 1 ? ` and ${bad.length - 1} more` : ''
  throw failure('bad-file', `“${file}” of the archive “${archive}” cannot be loaded: chunk ${hashOf(pack, first)}${more} is damaged.`, {
    path: pack.file.path,
    next: 'Verify the store: it names all that is damaged.'
  })
}

/** A chunk's name: the first half of its hash. */
export const hashOf = (pack: Pack, chunk: number): string => pack.hashes.subarray(chunk * HASH_BYTES, chunk * HASH_BYTES + HASH_BYTES / 2).toString('hex')
