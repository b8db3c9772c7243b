import { randomBytes } from 'node:crypto'
import { ShareRecord } from '#contract'
import { listFolder, readJson, removeFile, writeJsonAtomic } from '../host/files'
import type { LibraryPaths } from '../library/paths'

export const newShareId = (): string => randomBytes(4).toString('hex')

export const saveShare = (paths: LibraryPaths, record: ShareRecord): Promise<void> => writeJsonAtomic(paths.share(record.id), record)
export const deleteShare = (paths: LibraryPaths, id: string): Promise<void> => removeFile(paths.share(id))

/** Every share of the library. A file that cannot be used is left as it is, and its share is not served. */
export async function loadShares(paths: LibraryPaths): Promise<ShareRecord[]> {
  const names = (await listFolder(paths.shares)).filter((name) => /^[0-9a-f]{8}\.json$/.test(name))
  const found = await Promise.all(names.map((name) => readJson(paths.share(name.slice(0, 8)), ShareRecord).catch(() => null)))
  return found.filter((record) => record !== null)
}
