import { randomBytes } from 'node:crypto'
import { ShareRecord, toAppError, type Share } from '#contract'
import { listFolder, readJson, removeFile, writeJsonAtomic } from '../host/files'
import type { LibraryPaths } from '../library/paths'

export const newShareId = (): string => randomBytes(4).toString('hex')

export const saveShare = (paths: LibraryPaths, record: ShareRecord): Promise<void> => writeJsonAtomic(paths.share(record.id), record)
export const deleteShare = (paths: LibraryPaths, id: string): Promise<void> => removeFile(paths.share(id))

/** Every share of the library, or what is wrong with its file: that is left as it is, listed, and not served. */
export async function loadShares(paths: LibraryPaths): Promise<{ records: ShareRecord[]; broken: Share[] }> {
  const names = (await listFolder(paths.shares)).filter((name) => /^[0-9a-f]{8}\.json$/.test(name))
  const records: ShareRecord[] = []
  const broken: Share[] = []
  const load = async (id: string): Promise<void> => {
    try {
      records.push(await readJson(paths.share(id), ShareRecord))
    } catch (error) {
      broken.push(brokenView(id, toAppError(error).message))
    }
  }
  await Promise.all(names.map((name) => load(name.slice(0, 8))))
  return { records, broken }
}

const brokenView = (id: string, message: string): Share => ({
  ...{ id, machineId: '', machine: '', disk: '', sizeBytes: 0, mode: 'ro', ownerWrites: false, published: null, cluster: null, holdSeconds: null, writeThrough: false, createdAtMs: 0 },
  ...{ server: { kind: 'broken', message }, clients: [] }
})
