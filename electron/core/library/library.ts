import { randomBytes } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { failure } from '#contract'
import { ensurePrivateFolder, listFolder, removeTemporaries, removeTree } from '../host/files'
import { lockFile } from '../host/lock'
import { join } from 'node:path'
import { libraryPaths, libraryRoot, runtimePaths, runtimeRoot, type Environment, type LibraryPaths, type RuntimePaths } from './paths'

/** Younger ones may belong to somebody who does not own the library, such as a set-up that fills the cache. */
const TEMPORARY_KEPT_MS = 10 * 60_000

/** An opened library: its folders, and the lock that makes this process its one owner. */
export interface Library {
  /** Another one at each opening: a part of every event. */
  readonly owner: string
  readonly paths: LibraryPaths
  readonly runtime: RuntimePaths
  /** A new empty folder for something that gets its name when it is whole. */
  unfinished(): Promise<string>
  release(): void
}

/** The folders that this environment names, without opening them. */
export async function locateLibrary(environment: Environment): Promise<{ paths: LibraryPaths; runtime: RuntimePaths }> {
  const wanted = libraryRoot(environment)
  // A link to a folder on another disk is the user's choice; what it leads to is checked.
  const root = await realpath(wanted).catch(() => wanted)
  await ensurePrivateFolder(root)
  return { paths: libraryPaths(root), runtime: runtimePaths(runtimeRoot(environment, root)) }
}

/**
 * Opens a library for this process alone. The lock is the kernel's: a crash releases it.
 * @throws library-owned when another process has it, file, no-space
 */
export async function openLibrary(environment: Environment): Promise<Library> {
  const { paths, runtime } = await locateLibrary(environment)
  const lock = await lockFile(paths.lock)
  if (!lock) {
    throw failure('library-owned', `The library “${paths.root}” is in use by another Strata process.`, { library: paths.root })
  }
  try {
    await makeFolders(paths, runtime)
    return { owner: randomBytes(6).toString('hex'), paths, runtime, unfinished: () => newUnfinished(paths), release: () => lock.release() }
  } catch (error) {
    lock.release()
    throw error
  }
}

async function makeFolders(paths: LibraryPaths, runtime: RuntimePaths): Promise<void> {
  const { machines, images, snapshots, shares, labs, trash, logs, cache, tasks, unfinished } = paths
  for (const folder of [machines, images, snapshots, shares, labs, trash, logs, cache, tasks, unfinished, runtime.root]) {
    await ensurePrivateFolder(folder)
  }
  // What another owner was making when it was cut off. It was never shown to anybody.
  for (const name of await listFolder(paths.unfinished)) await removeTree(join(paths.unfinished, name))
  await removeLeftTemporaries(paths)
}

/** What a write that was cut off left beside a file of ours. Not in `disks`: nothing there is written so. */
async function removeLeftTemporaries(paths: LibraryPaths): Promise<void> {
  const below = async (folder: string): Promise<string[]> => (await listFolder(folder)).map((name) => join(folder, name))
  const trashed = (await listFolder(paths.trash)).flatMap((id) => [paths.trashed(id).root, paths.trashed(id).machine])
  const folders = [paths.root, paths.cache, paths.tasks, paths.shares, paths.labs, ...(await below(paths.machines)), ...(await below(paths.images)), ...trashed]
  await Promise.all(folders.map((folder) => removeTemporaries(folder, TEMPORARY_KEPT_MS).catch(() => {}))) // no folder, or not ours to clean
}

async function newUnfinished(paths: LibraryPaths): Promise<string> {
  const folder = join(paths.unfinished, randomBytes(6).toString('hex'))
  await ensurePrivateFolder(folder)
  return folder
}

