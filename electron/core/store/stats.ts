import { Failure } from '#contract'
import { HASH_BYTES } from './pack-format'
import type { Store } from './store'
import type { Pack } from './packs'
import { bytesByUse, countUsage, ifThere } from './usage'

/** An archive in numbers. */
export interface ArchiveStats {
  name: string
  kind: string
  note: string
  savedAtMs: number
  tookMs: number
  chunkBytes: number
  files: { name: string; sizeBytes: number }[]
  /** The size of its files, and what of it is not zeros. */
  logicalBytes: number
  dataBytes: number
  /** What only this archive needs of the store: so much is given back when it is removed and the store cleaned up. */
  ownBytes: number
}
export interface StoreStats {
  chunkBytes: number
  /** What all archives hold, as if each were stored by itself. */
  logicalBytes: number
  dataBytes: number
  /** What the store takes on the disk. */
  storedBytes: number
  /** Of this: chunks that no archive needs; chunks that several need; and the indexes and lists. */
  unusedBytes: number
  sharedBytes: number
  indexBytes: number
  packs: number
  chunks: number
  archives: ArchiveStats[]
  /** Archives that cannot be read, and packs. */
  unreadable: { path: string; problem: string }[]
}

/** Looks at the lists of all archives and the indexes of all packs; no chunk is read. */
export async function storeStats(store: Store): Promise<StoreStats> {
  const stats: StoreStats = { chunkBytes: store.currentSettings.chunkBytes, logicalBytes: 0, dataBytes: 0, storedBytes: 0, unusedBytes: 0, sharedBytes: 0, indexBytes: 0, packs: 0, chunks: 0, archives: [], unreadable: [] }
  const chunks = await countPacks(store, stats)
  const listed = await store.list()
  const count = await countUsage(store, chunks, false)
  const own = await ownBytes(store, count, chunks, stats)
  for (const { path, bytes, ...one } of listed) {
    stats.storedBytes += bytes
    stats.indexBytes += bytes
    if (!one.head) {
      stats.unreadable.push({ path, problem: 'error' in one ? one.error.message : '' })
      continue
    }
    const { name, kind, note, savedAtMs, tookMs, chunkBytes, files } = one.head
    const sum = (of: (file: (typeof files)[number]) => number): number => files.reduce((all, file) => all + of(file), 0)
    const archive = { name, kind, note, savedAtMs, tookMs, chunkBytes, files: files.map((file) => ({ name: file.name, sizeBytes: file.sizeBytes })), logicalBytes: sum((file) => file.sizeBytes), dataBytes: sum((file) => file.dataBytes) }
    stats.archives.push({ ...archive, ownBytes: Math.round(own.get(path) ?? 0) + bytes })
    stats.logicalBytes += archive.logicalBytes
    stats.dataBytes += archive.dataBytes
  }
  return stats
}

async function countPacks(store: Store, stats: StoreStats): Promise<Map<string, number>> {
  const chunks = new Map<string, number>()
  for (const id of await store.packs.list()) {
    try {
      await store.packs.use([id], async ([pack]) => {
        chunks.set(id, pack!.chunks)
        stats.packs++
        stats.chunks += pack!.chunks
        stats.storedBytes += pack!.fileBytes
        stats.indexBytes += pack!.chunks * HASH_BYTES + pack!.frames.length
      })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      if (error.error.code !== 'not-found') stats.unreadable.push({ path: store.packs.pathOf(id), problem: error.error.message })
    }
  }
  return chunks
}

/** What each archive alone needs, by its path. */
async function ownBytes(store: Store, count: Awaited<ReturnType<typeof countUsage>>, chunks: ReadonlyMap<string, number>, stats: StoreStats): Promise<Map<string, number>> {
  const own = new Map<string, number>()
  for (const id of chunks.keys()) {
    const readPack = async ([pack]: Pack[]): Promise<void> => {
      const use = bytesByUse(pack!, count.of(id))
      stats.unusedBytes += Math.round(use.unusedBytes)
      stats.sharedBytes += Math.round(use.sharedBytes)
      for (const [user, bytes] of use.own) {
        const { path } = count.archives[user - 1]!
        own.set(path, (own.get(path) ?? 0) + bytes)
      }
    }
    await ifThere(() => store.packs.use([id], readPack)) // the clean-up may have removed it meanwhile
  }
  return own
}
