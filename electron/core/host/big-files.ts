import { open, unlink, type FileHandle } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { fileFailure } from './file-failure'

/** Has the host write out what it holds back of a file's content, so that who has to wait for that later waits less. A file that is gone is none. */
export async function writeOut(path: string): Promise<void> {
  try {
    const file = await open(path, 'r')
    try {
      await file.datasync()
    } finally {
      await file.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fileFailure(error, path, 'written out')
  }
}

const WRITE_OUT_PAUSE_MS = 10

/**
 * Has the host write out a file while another program is filling it, so that this program's own flush at its end finds little left: copying and
 * writing go on side by side. What cannot be written is told to that program too.
 */
export function keepWritingOut(path: string): { end: () => Promise<void> } {
  let goesOn = true
  const going = (async () => {
    for (; goesOn; await delay(WRITE_OUT_PAUSE_MS)) await writeOut(path)
  })().catch(() => {})
  return {
    end() {
      goesOn = false
      return going
    }
  }
}

/**
 * Takes a big file's name from it at once; the system gives its space back a moment later, beside whatever is done next: that takes it up to a
 * second for a gigabyte. No file of that name is none to remove.
 */
export async function removeBigFile(path: string): Promise<void> {
  let file: FileHandle | undefined
  try {
    file = await open(path, 'r')
    await unlink(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fileFailure(error, path, 'removed')
  } finally {
    void file?.close().catch(() => {}) // it has no name any more: there is nothing to be told
  }
}
