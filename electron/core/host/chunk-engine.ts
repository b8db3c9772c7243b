import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { failure } from '#contract'
import { nativeFile } from './native-files'

/** One saving of the native module: its index of known chunks, and the pack that it writes. */
export interface ChunkWriter {
  readonly chunkWriter: unique symbol
}

/**
 * The native half of the store (native/store): hashing, looking up, compressing, in Node's thread pool. Errors are the system's, with
 * their code (`ENOSPC`). Records are little-endian: runs are `chunks, pack, first` of 32 bits; pieces `first, count` of 32 bits and an
 * offset of 64; frames an offset of 64 bits, a length of 32 and 32 spare ones.
 */
export interface ChunkEngine {
  /** BLAKE3 of each block; blocks are a power of two of at least 2 KiB. */
  hash(bytes: Uint8Array, blockBytes: number): Buffer
  writer(chunkBytes: number, frameBytes: number, level: number): ChunkWriter
  /** New chunks go to this file from here on, from `start` on. */
  turn(writer: ChunkWriter, fd: number, pack: number, start: number): void
  /** Chunks that are stored already. Where `skip` is not 0 they are not to be used. */
  know(writer: ChunkWriter, pack: number, hashes: Buffer, skip: Buffer | null): Promise<void>
  /** Saves a piece of a file (or of memory, then with offset 0), at most `BATCH_BYTES`. Several may run at once. */
  add(writer: ChunkWriter, from: number | Buffer, offset: number, bytes: number): Promise<Buffer>
  finish(writer: ChunkWriter): Promise<{ frames: Buffer; hashes: Buffer; end: number }>
  /** Bytes in the pack so far; only while nothing else runs. */
  written(writer: ChunkWriter): number
  /** Loads pieces into a file or memory, or only checks them (-1). Answers the numbers of damaged chunks, 32 bits each. */
  load(packFd: number, chunkBytes: number, frameChunks: number, frames: Buffer, hashes: Buffer, pieces: Buffer, target: number | Buffer, targetBytes: number): Promise<Buffer>
  /** Where a file has data: pairs of offset and length, 64 bits each. */
  extents(fd: number, sizeBytes: number): Promise<Buffer>
}

/** How much one call of `add` takes at most. */
export const BATCH_BYTES = 4 * 2 ** 20

/** How many calls of the engine run side by side. Node's pool has four threads, and others need one too. */
export const ENGINE_THREADS = Math.max(1, Math.min(3, availableParallelism()))

let loaded: ChunkEngine | null = null

/** @throws unsupported when the native module was not built */
export function chunkEngine(): ChunkEngine {
  if (loaded) return loaded
  const found = nativeFile('store.node')
  try {
    return (loaded = createRequire(found)(found) as ChunkEngine)
  } catch (cause) {
    throw failure('unsupported', 'The native module of the store cannot be loaded.', { next: 'Run “npm run setup”: it builds it.', cause })
  }
}
