import { createHash, randomBytes } from 'node:crypto'
import { closeSync, constants, createReadStream, openSync, type Stats } from 'node:fs'
import { access, chmod, copyFile, link, lstat, mkdir, open, readFile, readdir, rename, rm, stat, statfs, symlink, unlink, utimes, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { z } from 'zod'
import { failure, Failure } from '#contract'
import { fileFailure } from './file-failure'
import { run } from './process'

export { fileFailure }

/**
 * Writes a file so that a crash at any moment leaves the old content or the new one, whole: a temporary file beside it,
 * fsync, rename, fsync of the folder.
 */
export async function writeFileAtomic(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`)
  try {
    const file = await open(temporary, 'wx', mode)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncFile(dirname(path))
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}) // what matters is why it could not be written
    throw fileFailure(error, path, 'written')
  }
}

/** A file beside another one that `writeFileAtomic` writes before it takes the other's name. */
const TEMPORARY = /^\..+\.[0-9a-f]{12}$/

/** Removes what a `writeFileAtomic` that was cut off left in a folder: only files named so, and none that may still be in the writing. */
export async function removeTemporaries(folder: string, olderThanMs: number): Promise<void> {
  for (const name of (await listFolder(folder)).filter((one) => TEMPORARY.test(one))) {
    const path = join(folder, name)
    const found = await lstat(path).catch(() => null) // renamed or removed meanwhile
    if (found?.isFile() && Date.now() - found.mtimeMs > olderThanMs) await removeFile(path)
  }
}

/** Makes what was written to a file, or renamed or removed in a folder, last. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

export const writeJsonAtomic = (path: string, value: unknown): Promise<void> => writeFileAtomic(path, JSON.stringify(value, null, 2) + '\n')

/**
 * Reads a JSON file that has to fit the schema.
 * @throws not-found, file, bad-file, newer-version (its `schemaVersion` is above the known one)
 */
export async function readJson<S extends z.ZodType>(path: string, schema: S, knownVersion = 1): Promise<z.output<S>> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw fileFailure(error, path, 'read')
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw failure('bad-file', `“${path}” is damaged: it does not hold JSON.`, { path, cause: error })
  }
  const version = (value as { schemaVersion?: unknown } | null)?.schemaVersion
  if (typeof version === 'number' && version > knownVersion) {
    throw failure('newer-version', `“${path}” was written by a newer version of Strata.`, { path, next: 'Use that version; this one leaves the file as it is.' })
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [first] = parsed.error.issues
  throw failure('bad-file', `“${path}” is damaged: ${first?.path.join('.') || 'its content'} is not as it should be.`, {
    path,
    cause: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  })
}

/** Makes a folder that only this user can enter, or makes an existing one such. A symbolic link to a folder is refused. */
export async function ensurePrivateFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    const found = await lstat(path)
    if (!found.isDirectory()) throw failure('file', `“${path}” is not a folder.`, { path, errno: 'ENOTDIR' })
    if (found.uid !== process.getuid?.()) throw failure('file', `“${path}” belongs to another user.`, { path, errno: 'EPERM' })
    if ((found.mode & 0o077) !== 0) await chmod(path, 0o700)
  } catch (error) {
    if (error instanceof Failure) throw error
    throw fileFailure(error, path, 'made')
  }
}

/** Names in a folder; none if there is no such folder. */
export async function listFolder(path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw fileFailure(error, path, 'read')
  }
}

export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true })
  } catch (error) {
    throw fileFailure(error, path, 'removed')
  }
}

export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fileFailure(error, path, 'removed')
  }
}

/** Has a path lead to another, whatever is at it now. */
export async function linkTo(path: string, target: string): Promise<void> {
  const fresh = `${path}.new`
  await removeFile(fresh) // of a process that was cut off
  try {
    await symlink(target, fresh)
    await rename(fresh, path)
  } catch (error) {
    throw fileFailure(error, path, 'linked')
  }
}

/** Renames within one file system and makes it last. Fails when the target exists. */
export async function move(from: string, to: string): Promise<void> {
  if (await exists(to)) throw failure('already-exists', `“${to}” exists already.`, { what: 'file', name: to })
  try {
    await rename(from, to)
    await syncFile(dirname(to))
    if (dirname(from) !== dirname(to)) await syncFile(dirname(from))
  } catch (error) {
    throw fileFailure(error, from, 'moved')
  }
}

/** Renames a finished file to the name that it is to have, in place of what has it now, and makes it last. */
export async function takePlace(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
    await syncFile(dirname(to))
  } catch (error) {
    throw fileFailure(error, to, 'written')
  }
}

/** SHA-256 of a file's content, in hexadecimal. @throws not-found, file, cancelled */
export async function hashFile(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const bytes of createReadStream(path, { highWaterMark: 2 ** 20, signal })) hash.update(bytes as Buffer)
  } catch (error) {
    if (signal.aborted) throw failure('cancelled', 'Cancelled.', {})
    throw fileFailure(error, path, 'read')
  }
  return hash.digest('hex')
}

/** Another name for the same file where the file system can, else a copy with its holes. */
export async function linkOrCopyBig(from: string, to: string, signal: AbortSignal): Promise<void> {
  try {
    await link(from, to)
  } catch {
    await copyBig(from, to, { signal, onProgress: () => {} })
  }
}

export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw fileFailure(error, path, 'read')
  }
}

/** Copies a small file, sharing its blocks where the file system can. Fails when the target exists. */
export async function copySmall(from: string, to: string, mode = 0o600): Promise<void> {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    await chmod(to, mode)
  } catch (error) {
    // The system names both files; which one it means shows in what it complains about.
    throw ['ENOENT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '') && !(await readable(from))
      ? fileFailure(error, from, 'read')
      : fileFailure(error, to, 'written')
  }
}

/** Space for ordinary users, and in all, on the file system that holds `path`. */
export async function diskSpace(path: string): Promise<{ freeBytes: number; totalBytes: number }> {
  try {
    const found = await statfs(path)
    return { freeBytes: found.bavail * found.bsize, totalBytes: found.blocks * found.bsize }
  } catch (error) {
    throw fileFailure(error, path, 'read')
  }
}

/** What the files in a folder take on disk: allocated blocks, so that holes do not count. */
export async function allocatedBytes(folder: string): Promise<number> {
  let bytes = 0
  for (const name of await listFolder(folder)) {
    const path = join(folder, name)
    const found = await lstat(path).catch(() => null) // removed meanwhile
    if (found?.isDirectory()) bytes += await allocatedBytes(path)
    else bytes += (found?.blocks ?? 0) * 512
  }
  return bytes
}

/** Up to `maxBytes` from the end of a file as text; nothing if there is no such file. */
export async function readTail(path: string, maxBytes: number): Promise<{ text: string; totalBytes: number }> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw fileFailure(error, path, 'read')
  })
  if (!file) return { text: '', totalBytes: 0 }
  try {
    const { size } = await file.stat()
    const buffer = Buffer.alloc(Math.min(size, maxBytes))
    const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length)
    return { text: buffer.subarray(0, bytesRead).toString(), totalBytes: size }
  } finally {
    await file.close()
  }
}

/** Makes a file empty, and makes it if need be. */
export async function truncate(path: string): Promise<void> {
  try {
    await writeFile(path, '', { mode: 0o600 })
  } catch (error) {
    throw fileFailure(error, path, 'written')
  }
}

/**
 * Gives back the space of a file that others append to, all but its last `keptBytes`, once it takes more than
 * `limitBytes` on disk. Its size stays, so that readers' and writers' offsets do; what is gone reads as zeros.
 */
export async function punchHole(path: string, limitBytes: number, keptBytes: number): Promise<void> {
  const found = await lstat(path)
  if (found.blocks * 512 <= limitBytes) return
  await run('fallocate', ['--punch-hole', '--offset', '0', '--length', String(found.size - keptBytes), path])
}

export interface FileFacts {
  sizeBytes: number
  modifiedAtMs: number
  /** What it takes on disk: holes do not count. */
  allocatedBytes: number
  /** Of a file that has several names: the same for each. */
  sharedId: string | null
}
export async function fileFacts(path: string): Promise<FileFacts> {
  const { size, mtimeMs, blocks, nlink, dev, ino } = await facts(path)
  return { sizeBytes: size, modifiedAtMs: mtimeMs, allocatedBytes: blocks * 512, sharedId: nlink > 1 ? `${dev}:${ino}` : null }
}

/** Whether there is a folder of this name. */
export async function isFolder(path: string): Promise<boolean> {
  return (await exists(path)) && (await facts(path)).isDirectory()
}

async function facts(path: string): Promise<Stats> {
  try {
    return await stat(path)
  } catch (error) {
    throw fileFailure(error, path, 'read')
  }
}

/** Whether this user may read the file. */
export async function readable(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Copies a big file: blocks shared where the file system can, holes kept, runs of zeros made holes. Progress is what the
 * copy takes on disk so far. What was copied before a failure is left for the caller to remove.
 * @throws no-space, file, not-found, cancelled
 */
export async function copyBig(from: string, to: string, options: { signal: AbortSignal; onProgress: (ratio: number) => void }): Promise<void> {
  const wanted = (await facts(from)).blocks
  const timer = setInterval(() => {
    void stat(to).then((found) => options.onProgress(Math.min(1, found.blocks / Math.max(1, wanted))), () => {}) // not there yet
  }, 200)
  try {
    await run('cp', ['--sparse=always', '--reflink=auto', '--preserve=timestamps', '--', from, to], { signal: options.signal, writes: to })
    await syncFile(to)
  } finally {
    clearInterval(timer)
  }
}

/** Another name for the same file where the file system can, else a copy of the same time. */
export async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch {
    await copySmall(from, to, 0o444)
    const { atime, mtime } = await facts(from)
    await utimes(to, atime, mtime)
  }
}

export async function makeReadOnly(path: string): Promise<void> {
  try {
    await chmod(path, 0o444)
  } catch (error) {
    throw fileFailure(error, path, 'made read-only')
  }
}

/** Nobody but this user may use it. */
export async function makePrivate(path: string): Promise<void> {
  try {
    await chmod(path, 0o600)
  } catch (error) {
    throw fileFailure(error, path, 'made private')
  }
}

/** The whole of a small file. */
export async function readBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    throw fileFailure(error, path, 'read')
  }
}

/** A file for a program to read, as a descriptor that it inherits. The caller closes it. @throws not-found, file */
export function openToRead(path: string): { fd: number; close: () => void } {
  try {
    const fd = openSync(path, 'r')
    return { fd, close: () => closeSync(fd) }
  } catch (error) {
    throw fileFailure(error, path, 'read')
  }
}

/** Whether the file has another name too: what is written to it, others see. */
export async function isShared(path: string): Promise<boolean> {
  return (await facts(path)).nlink > 1
}

/** What the files in a folder take on disk: those that have no other name, and those that have. */
export async function linkedBytes(folder: string): Promise<{ own: number; shared: number }> {
  const total = { own: 0, shared: 0 }
  for (const name of await listFolder(folder)) {
    const path = join(folder, name)
    const found = await lstat(path).catch(() => null) // removed meanwhile
    if (found?.isDirectory()) {
      const inner = await linkedBytes(path)
      total.own += inner.own
      total.shared += inner.shared
    } else if (found) total[found.nlink > 1 ? 'shared' : 'own'] += found.blocks * 512
  }
  return total
}

/** Makes a file of pieces with holes between, and makes it last. @throws already-exists, no-space, file */
export async function createFile(path: string, pieces: readonly { at: number; bytes: Buffer }[]): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await Promise.all(pieces.map(({ at, bytes }) => file.write(bytes, 0, bytes.length, at)))
      await file.datasync()
    } finally {
      await file.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw failure('already-exists', `“${path}” exists already.`, { what: 'file', name: path })
    await rm(path, { force: true }).catch(() => {}) // what matters is why it could not be written
    throw fileFailure(error, path, 'written')
  }
}
