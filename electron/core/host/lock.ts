import { closeSync, openSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { failure } from '#contract'
import { fileFailure } from './file-failure'
import { installCommand } from './process'

/** A locked file. The lock ends with the last descriptor of it: `release`, or the end of every process that holds one. */
export interface FileLock {
  readonly fd: number
  release(): void
}

/**
 * Locks a file for this process, or answers null when somebody else holds the lock. The file is made when it is missing.
 *
 * Node has no flock(2). A child `flock` locks the open file that it inherits from us as descriptor 3: the lock belongs to
 * the open file description, so it stays ours when the child has ended, passes on to a process that inherits the
 * descriptor (QEMU keeps its machine's lock this way), and is released by the kernel, after a crash too.
 */
export function lockFile(path: string): Promise<FileLock | null> {
  return inTurn(path, async () => {
    const fd = opened(path, 'a')
    let open = true
    const release = (): void => {
      if (open) closeSync(fd)
      open = false
    }
    try {
      if (await flock(fd, '--exclusive')) return { fd, release }
    } catch (error) {
      release()
      throw error
    }
    release()
    return null
  })
}

/**
 * Opens a file that may be locked later, by `lock`: whoever inherited the descriptor meanwhile then holds the lock too, as it belongs to the open file
 * description.
 */
export function openLockable(path: string): FileLock & { lock(): Promise<boolean> } {
  const fd = opened(path, 'a')
  let open = true
  return {
    fd,
    lock: () => inTurn(path, () => flock(fd, '--exclusive')),
    release: () => {
      if (open) closeSync(fd)
      open = false
    }
  }
}

/** Whether anybody holds the lock of this file now. A file that is not there is not locked. */
export function isLocked(path: string): Promise<boolean> {
  return inTurn(path, async () => {
    let fd: number
    try {
      fd = openSync(path, 'r')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw fileFailure(error, path, 'opened')
    }
    try {
      return !(await flock(fd, '--shared')) // shared, so that two who only ask do not see each other
    } finally {
      closeSync(fd)
    }
  })
}

function opened(path: string, flags: string): number {
  try {
    return openSync(path, flags, 0o600)
  } catch (error) {
    throw fileFailure(error, path, 'locked')
  }
}

/** Locks an open file; answers whether that was possible. */
function flock(fd: number, how: '--exclusive' | '--shared'): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn('flock', [how, '--nonblock', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] })
    child.once('error', (cause) => {
      const install = installCommand('util-linux')
      reject(failure('missing-program', 'flock could not be started.', { program: 'flock', install, next: `Install it: ${install}`, cause }))
    })
    child.once('exit', (exitCode) => {
      if (exitCode === 0 || exitCode === 1) resolve(exitCode === 0)
      else reject(failure('program-failed', `flock failed with exit code ${exitCode}.`, { program: 'flock', exitCode }))
    })
  })
}

/** One after the other for the same file: who asks must not hold the lock for a moment while another wants to take it. */
async function inTurn<T>(path: string, act: () => Promise<T>): Promise<T> {
  const before = turns.get(path) ?? Promise.resolve()
  const mine = before.then(act, act)
  turns.set(path, mine)
  try {
    return await mine
  } finally {
    if (turns.get(path) === mine) turns.delete(path)
  }
}
const turns = new Map<string, Promise<unknown>>()
