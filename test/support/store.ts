import { createCipheriv, createHash } from 'node:crypto'
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Store } from '#core/store/store'
import type { PackSettings } from '#core/store/pack-writing'

export const KiB = 1024
export const MiB = 2 ** 20

/** Bytes that a seed determines: the same at every call, and of different seeds nothing in common. Every 512 come twice, so that they compress. */
export function bytesOf(seed: string, count: number): Buffer {
  const blocks = Math.ceil(count / 1024)
  const key = createHash('sha256').update(seed).digest()
  const random = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16)).update(Buffer.alloc(blocks * 512))
  const parts = Array.from({ length: blocks * 2 }, (_, i) => random.subarray((i >> 1) * 512, ((i >> 1) + 1) * 512))
  return Buffer.concat(parts).subarray(0, count)
}

/** A piece of a file: a seed's bytes at an offset. What no piece covers is a hole. */
export interface Piece {
  at: number
  seed: string
  bytes: number
}

/** Makes a sparse file. */
export function writePieces(path: string, sizeBytes: number, pieces: readonly Piece[]): void {
  const fd = openSync(path, 'w')
  try {
    ftruncateSync(fd, sizeBytes)
    for (const { at, seed, bytes } of pieces) writeSync(fd, bytesOf(seed, bytes), 0, bytes, at)
  } finally {
    closeSync(fd)
  }
}

/** A store whose packs are small, so that there are several. */
export function smallStore(folder: string, settings: Partial<PackSettings> = {}): Store {
  return new Store(join(folder, 'store'), (standard) => ({ ...standard, packBytes: MiB, frameBytes: 64 * KiB, ...settings }))
}

export const digestOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')

/** What the archive of this name holds, in the tests that kill: a few pieces of a small pool, chosen by the name. */
export function madeUp(name: string): { sizeBytes: number; pieces: Piece[] } {
  const dice = createHash('sha256').update(name).digest()
  const pieces = Array.from({ length: 6 }, (_, i) => ({ at: i * 512 * KiB + dice[i]! * 64, seed: `pool ${dice[i + 8]! % 24}`, bytes: (dice[i + 16]! + 1) * KiB }))
  return { sizeBytes: 6 * 512 * KiB + dice[30]!, pieces }
}
