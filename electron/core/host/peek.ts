import { constants, type Stats } from 'node:fs'
import { open, realpath, stat } from 'node:fs/promises'
import { failure } from '#contract'
import { fileFailure } from './file-failure'

/** The two ends of an ordinary file, where formats have their marks. */
export interface Peek {
  sizeBytes: number
  start: Buffer
  end: Buffer
}

/**
 * Reads at most so many bytes of a file's start and end. Waits for nothing: pipes and devices are not opened.
 * @throws not-found, file, bad-file (a folder, a device, ...)
 */
export async function peek(path: string, startBytes: number, endBytes: number): Promise<Peek> {
  try {
    const kind = kindOf(await stat(path))
    if (kind !== null) throw failure('bad-file', `“${path}” is ${kind}, not a file.`, { path, next: 'Choose a file.' })
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const { size } = await file.stat()
      const part = async (from: number, bytes: number): Promise<Buffer> => {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, from)
        return buffer.subarray(0, bytesRead)
      }
      return { sizeBytes: size, start: await part(0, Math.min(size, startBytes)), end: await part(Math.max(0, size - endBytes), Math.min(size, endBytes)) }
    } finally {
      await file.close()
    }
  } catch (error) {
    throw error instanceof Error && 'code' in error ? fileFailure(error, path, 'read') : error
  }
}

/** What this is if it is no ordinary file, in words; null when it is one. */
export function kindOf(found: Stats): string | null {
  if (found.isFile()) return null
  if (found.isDirectory()) return 'a folder'
  if (found.isBlockDevice() || found.isCharacterDevice()) return 'a device'
  return found.isFIFO() ? 'a pipe' : 'a socket'
}

/** The path without symbolic links. @throws not-found, file */
export async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    throw fileFailure(error, path, 'read')
  }
}

/** At most so many bytes of a file from an offset on; fewer where it ends. @throws not-found, file */
export async function readRange(path: string, offset: number, bytes: number): Promise<Buffer> {
  try {
    const file = await open(path, constants.O_RDONLY)
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, offset)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw fileFailure(error, path, 'read')
  }
}
