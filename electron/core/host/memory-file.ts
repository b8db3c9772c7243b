import { readdir, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** What Linux calls the file of a `memory-backend-memfd`. */
const MEMFD = '/memfd:memory-backend-memfd (deleted)'
/** Source: stat(2). */
const BLOCK_BYTES = 512

/** The file that a QEMU has its guest's memory in, which others may read while the guest runs. */
export interface MemoryFile {
  path: string
  /** How much of it the guest has touched. */
  usedBytes: number
}

/**
 * @param other where a machine that goes on from a snapshot has its memory if others map it; QEMU has that file only, its name is gone
 * @returns null when memory is private to QEMU, as that of any other machine that goes on from a snapshot; or when this user may not look
 */
export async function memoryFile(pid: number, other: string): Promise<MemoryFile | null> {
  const folder = `/proc/${pid}/fd`
  const names = [MEMFD, `${other} (deleted)`]
  try {
    for (const name of await readdir(folder)) {
      const path = join(folder, name)
      if (!names.includes(await readlink(path).catch(() => ''))) continue // another one, or closed meanwhile
      const { blocks } = await stat(path)
      return { path, usedBytes: blocks * BLOCK_BYTES }
    }
  } catch (error) {
    if (!['EACCES', 'EPERM', 'ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
  return null
}
