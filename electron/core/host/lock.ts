import { closeSync, openSync } from 'node:fs'
import { fileFailure } from './files'
import { spawn } from 'node:child_process'

/** A locked file. The lock ends with the last descriptor of it: `release`, or the end of every process that holds one. */
export interface FileLock {
  readonly fd: number
  release(): void
}

/**
 * Locks a file for this process, or answers null when somebody else holds the lock.
 *
 * Node has no flock(2). A child `flock` locks the open file that it inherits from us as descriptor 3: the lock belongs to
 * the open file description, so it stays ours when the child has ended, passes on to a process that inherits the
 * descriptor (QEMU keeps its machine's lock this way), and is released by the kernel, after a crash too.
 */
export async function lockFile(path: string): Promise<FileLock | null> {
  let fd: number
  try {
    fd = openSync(path, 'a', 0o600)
  } catch (error) {
    throw fileFailure(error, path, 'locked')
  }
  let open = true
  const release = (): void => {
    if (open) closeSync(fd)
    open = false
  }
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      const child = spawn('flock', ['--exclusive', '--nonblock', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] })
      child.once('error', reject)
      child.once('exit', resolve)
    })
    if (exitCode === 0) return { fd, release }
    release()
    if (exitCode === 1) return null
    throw new Error(`flock ended with ${exitCode}`)
  } catch (error) {
    release()
    throw error
  }
}

/** Whether anybody holds the lock of this file now. */
export async function isLocked(path: string): Promise<boolean> {
  const lock = await lockFile(path)
  lock?.release()
  return lock === null
}
