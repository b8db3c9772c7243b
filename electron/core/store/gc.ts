import { Failure } from '#contract'
import { throwIfCancelled } from '../task/work'
import { encodeArchive, type Archive } from './archive-format'
import type { Damage } from './damage'
import { loadPieces, throwIfDamaged } from './load'
import { PackWriting } from './pack-writing'
import type { Pack } from './packs'
import { Runs, ZEROS } from './runs'
import type { Store, Watch } from './store'
import { countUsage, usedStretches, type Usage, type UsageCount } from './usage'

/** A pack is written anew when less than so much of it is used. */
const LEAST_USED = 0.8
/** Packs below so much of a full one are put together. */
const SMALL = 1 / 16

export interface Cleaned {
  freedBytes: number
  removedPacks: number
  rewrittenPacks: number
  /** Packs that were left alone because they are damaged. */
  damagedPacks: string[]
}

/**
 * Gives back the space of chunks that no archive uses. Packs that nothing uses go; packs with much that nothing uses are written anew,
 * and small ones put together. Between two rounds others may write.
 *
 * In each round, as its one writer: new packs get the used chunks of old ones; each archive that names old packs is replaced by one
 * that names the new ones; then the old packs go. Cut off at any moment, every archive names packs that are there.
 */
export async function collectGarbage(store: Store, { signal = new AbortController().signal, progress }: Watch = {}): Promise<Cleaned> {
  const cleaned: Cleaned = { freedBytes: 0, removedPacks: 0, rewrittenPacks: 0, damagedPacks: [] }
  const left = new Set<string>()
  for (let round = 0, rounds = 1; round < rounds; round++) {
    progress?.(round / rounds)
    rounds = round + 1 + (await store.asWriter(signal, () => oneRound(store, cleaned, left, signal)))
  }
  store.onDidChange()
  return { ...cleaned, damagedPacks: [...left] }
}

/** @returns how many more rounds there may be */
async function oneRound(store: Store, cleaned: Cleaned, left: Set<string>, signal: AbortSignal): Promise<number> {
  const found = await store.packs.list()
  const before = await bytesOf(store, found)
  const count = await countUsage(store, await chunkCounts(store, found, left), true)
  await dropUnused(store, count, cleaned)
  throwIfCancelled(signal)
  const groups = grouped(await candidates(store, count, left), store.currentSettings.packBytes)
  const group = groups[0]
  if (group) {
    await rewrite(store, group, count, left, signal)
    cleaned.rewrittenPacks += group.filter((id) => !left.has(id)).length
  }
  cleaned.freedBytes += before - (await bytesOf(store, await store.packs.list()))
  return Math.max(0, groups.length - 1)
}

async function bytesOf(store: Store, ids: readonly string[]): Promise<number> {
  const sizes = await Promise.all(ids.map((id) => store.packs.bytesOf(id)))
  return sizes.reduce((sum, bytes) => sum + bytes, 0)
}

/** How many chunks each pack has; what cannot be read is left alone. */
async function chunkCounts(store: Store, ids: readonly string[], left: Set<string>): Promise<Map<string, number>> {
  const chunks = new Map<string, number>()
  for (const id of ids) {
    if (left.has(id)) continue
    try {
      await store.packs.use([id], async ([pack]) => void chunks.set(id, pack!.chunks))
    } catch (error) {
      if (!(error instanceof Failure) || error.error.code !== 'bad-file') throw error
      left.add(id)
    }
  }
  return chunks
}

async function dropUnused(store: Store, count: UsageCount, cleaned: Cleaned): Promise<void> {
  const unused = count.ids.filter((id) => count.of(id).every((user) => user === 0))
  await store.packs.remove(unused)
  cleaned.removedPacks += unused.length
}

interface Candidate {
  id: string
  bytes: number
  chunkBytes: number
  small: boolean
}

async function candidates(store: Store, count: UsageCount, left: ReadonlySet<string>): Promise<Candidate[]> {
  const found: Candidate[] = []
  const smallBytes = store.currentSettings.packBytes * SMALL
  for (const id of count.ids.filter((one) => !left.has(one))) {
    const usage = count.of(id)
    const used = usage.reduce((sum, user) => sum + (user === 0 ? 0 : 1), 0) / Math.max(1, usage.length)
    if (used === 0) continue
    await store.packs.use([id], async ([pack]) => {
      const small = used >= LEAST_USED
      if (!small || pack!.fileBytes < smallBytes) found.push({ id, bytes: pack!.fileBytes * used, chunkBytes: pack!.chunkBytes, small })
    })
  }
  return found
}

/** What is written anew together: chunks of one size, up to a pack's worth. A small pack alone, all of it used, stays. */
function grouped(found: readonly Candidate[], packBytes: number): string[][] {
  const groups: Candidate[][] = []
  for (const one of [...found].sort((a, b) => a.chunkBytes - b.chunkBytes || a.bytes - b.bytes)) {
    const last = groups.at(-1)
    const room = last && last[0]!.chunkBytes === one.chunkBytes && last.reduce((sum, { bytes }) => sum + bytes, one.bytes) <= packBytes
    if (room) last.push(one)
    else groups.push([one])
  }
  return groups.filter((group) => group.length > 1 || !group[0]!.small).map((group) => group.map(({ id }) => id))
}

/** Where a chunk of an old pack is now: a position in the new list of packs, and a number. */
interface Moved {
  pack: Uint32Array
  number: Uint32Array
}

async function rewrite(store: Store, group: readonly string[], count: UsageCount, left: Set<string>, signal: AbortSignal): Promise<void> {
  await store.packs.use(group, async (packs) => {
    const writing = new PackWriting(store.packs, { ...store.currentSettings, chunkBytes: packs[0]!.chunkBytes })
    const others = (await store.packs.list()).filter((id) => !group.includes(id) && !left.has(id))
    const damage: Damage = await store.damage()
    await writing.know(others, damage)
    await writing.begin()
    try {
      const moved = new Map<string, Moved>()
      for (const pack of packs) {
        const places = await movePack(pack, count.of(pack.id), writing, signal)
        if (places) moved.set(pack.id, places)
        else left.add(pack.id)
      }
      await writing.seal()
      await replaceArchives(store, moved, writing.packIds)
      await store.packs.remove([...moved.keys()])
    } catch (error) {
      await writing.abandon()
      throw error
    }
  })
}

/** Stores the used chunks of a pack anew; answers null when one of them is damaged: such a pack is left as it is. */
async function movePack(pack: Pack, usage: Usage, writing: PackWriting, signal: AbortSignal): Promise<Moved | null> {
  const moved: Moved = { pack: new Uint32Array(pack.chunks), number: new Uint32Array(pack.chunks) }
  for (const { first, count } of usedStretches(usage, writing.batchBytes / pack.chunkBytes)) {
    throwIfCancelled(signal)
    const bytes = Buffer.allocUnsafe(count * pack.chunkBytes)
    const bad = await loadPieces({ pack, pieces: [{ first, count, offset: 0 }], target: bytes, targetBytes: bytes.length })
    if (bad.length > 0) return null
    let chunk = first
    for (const run of await writing.add(bytes, 0, bytes.length)) {
      if (run.pack === ZEROS) throwIfDamaged(pack, [chunk], pack.id, pack.id) // zeros are never stored
      for (let i = 0; i < run.chunks; i++, chunk++) [moved.pack[chunk], moved.number[chunk]] = [run.pack, run.first + i]
    }
    await writing.turnIfFull()
  }
  return moved
}

async function replaceArchives(store: Store, moved: ReadonlyMap<string, Moved>, packIds: readonly string[]): Promise<void> {
  for (const { path, head } of await store.list()) {
    if (!head?.packs.some((id) => moved.has(id))) continue
    const archive = await store.archives.readAt(path)
    const { packs, runs } = relocated(archive, moved, packIds)
    await store.archives.rewrite(path, await encodeArchive({ ...head, packs }, runs))
  }
}

function relocated({ head, runs }: Archive, moved: ReadonlyMap<string, Moved>, packIds: readonly string[]): { packs: string[]; runs: Runs[] } {
  const positions = new Map<string, number>()
  const position = (id: string): number => positions.get(id) ?? (positions.set(id, positions.size), positions.size - 1)
  const relocatedRuns = runs.map((old) => {
    const now = Runs.empty()
    for (const { chunks, pack, first } of old) {
      if (pack === ZEROS) {
        now.push(chunks, ZEROS, 0)
        continue
      }
      const id = head.packs[pack]!
      const places = moved.get(id)
      if (!places) now.push(chunks, position(id), first)
      else for (let chunk = first; chunk < first + chunks; chunk++) now.push(1, position(packIds[places.pack[chunk]!]!), places.number[chunk]!)
    }
    return now
  })
  return { packs: [...positions.keys()], runs: relocatedRuns }
}
