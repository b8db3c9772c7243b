import { randomFillSync } from 'node:crypto'
import { closeSync, openSync, readlinkSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { open, stat } from 'node:fs/promises'
import { failure } from '#contract'
import { fileFailure } from './files'

/** What native/adapter/adapter.c offers. A promise is refused with an Error whose `code` is a name of errno. */
export interface RingAdapter {
  open(folder: string, threads: number): Promise<RingHandle>
  info(client: RingHandle): Promise<{ firstSector: number; lastSector: number }>
  read(client: RingHandle, sector: number): Promise<{ data: Buffer; ns: number }>
  close(client: RingHandle): void
}
/** A client of the ring; only the adapter knows what it is. */
export type RingHandle = object & { readonly ringHandle: never }

/** @throws unsupported when it cannot be loaded */
export function loadRingAdapter(path: string): RingAdapter {
  try {
    return createRequire(path)(path) as RingAdapter
  } catch (cause) {
    throw failure('unsupported', 'Strata cannot be a client of the ring itself on this computer.', { next: 'Run “npm run setup” again.', cause })
  }
}

/** Reads a part of a file that another process maps and changes. Answers less where the file ends; null when it is not there (any more). */
export function readPart(path: string, offset: number, bytes: number): Buffer | null {
  try {
    const file = openSync(path, 'r')
    try {
      const part = Buffer.alloc(bytes)
      return part.subarray(0, readSync(file, part, 0, bytes, offset))
    } finally {
      closeSync(file)
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return null
    throw fileFailure(error, path, 'read')
  }
}

/** Which file a descriptor of another process is of; null when there is none (any more). */
export function fileOfDescriptor(path: string): string | null {
  try {
    return readlinkSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return null
    throw fileFailure(error, path, 'read')
  }
}

const CHUNK_BYTES = 4 * 2 ** 20

/** Makes a file of random bytes, unless it has that size already. @throws no-space, file */
export async function makeRandomFile(path: string, sizeBytes: number): Promise<void> {
  const there = await stat(path).catch(() => null)
  if (there?.size === sizeBytes) return
  const file = await open(path, 'w', 0o600).catch((error: unknown) => {
    throw fileFailure(error, path, 'written')
  })
  try {
    const chunk = randomFillSync(Buffer.alloc(Math.min(CHUNK_BYTES, sizeBytes)))
    for (let at = 0; at < sizeBytes; at += chunk.length) {
      chunk.writeDoubleLE(at) // so that no two chunks are the same
      await file.write(chunk, 0, Math.min(chunk.length, sizeBytes - at))
    }
  } catch (error) {
    throw fileFailure(error, path, 'written')
  } finally {
    await file.close()
  }
}
