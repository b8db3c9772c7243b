import { Failure } from '#contract'
import { throwIfCancelled } from '../task/work'
import { writeDamage } from './damage'
import { hashOf, loadPieces, sideBySide, tasksOf } from './load'
import type { Pack } from './packs'
import { ZEROS } from './runs'
import type { Store, Watch } from './store'
import { ifThere } from './usage'

/** Where a damaged chunk is needed. */
export interface Touched {
  archive: string
  file: string
  offset: number
}
export interface DamagedChunk {
  /** The first half of its hash, in hexadecimal; empty where the pack's index is damaged too. */
  chunk: string
  pack: string
  touches: Touched[]
}
export interface Verified {
  checkedBytes: number
  checkedChunks: number
  archives: number
  /** Damaged chunks that an archive needs, at most `MOST_LISTED`; there may be more. */
  damaged: DamagedChunk[]
  damagedChunks: number
  /** Packs and archives that cannot be read, or are gone, with the reason. */
  unreadable: { path: string; problem: string }[]
  /** Names of the archives that cannot be loaded as a whole. All others can. */
  touchedArchives: string[]
}
export const MOST_LISTED = 1000

/**
 * Reads and checks every chunk of every pack, and what every archive needs. What is found is remembered: new archives do not rely on
 * damaged chunks, so that saving the same again stores them anew.
 */
export async function verifyStore(store: Store, { signal = new AbortController().signal, progress }: Watch = {}): Promise<Verified> {
  const result: Verified = { checkedBytes: 0, checkedChunks: 0, archives: 0, damaged: [], damagedChunks: 0, unreadable: [], touchedArchives: [] }
  const ids = await store.packs.list()
  const damage = new Map<string, number[] | 'all'>()
  const names = new Map<string, string>()
  for (const [i, id] of ids.entries()) {
    progress?.(i / ids.length)
    const bad = await checkPack(store, id, result, names, signal, (ratio) => progress?.((i + ratio) / ids.length))
    if (bad === 'all' || bad.length > 0) damage.set(id, bad)
  }
  await checkArchives(store, damage, names, result, signal)
  // Packs that the clean-up has removed meanwhile are nobody's any more.
  const there = new Set(await store.packs.list())
  for (const id of damage.keys()) if (!there.has(id)) damage.delete(id)
  await writeDamage(store.damageRecord, damage)
  store.onDidChange()
  return result
}

async function checkPack(store: Store, id: string, result: Verified, names: Map<string, string>, signal: AbortSignal, onRatio: (ratio: number) => void): Promise<number[] | 'all'> {
  try {
    return await store.packs.use([id], ([pack]) => checkChunks(pack!, result, names, signal, onRatio))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    if (error.error.code === 'not-found') return [] // the clean-up has removed it meanwhile
    if (error.error.code !== 'bad-file') throw error
    result.unreadable.push({ path: store.packs.pathOf(id), problem: error.error.message })
    return 'all'
  }
}

async function checkChunks(pack: Pack, result: Verified, names: Map<string, string>, signal: AbortSignal, onRatio: (ratio: number) => void): Promise<number[]> {
  const damaged: number[] = []
  let checked = 0
  await sideBySide(tasksOf([{ first: 0, count: pack.chunks, offset: 0 }], pack), signal, async (pieces) => {
    const bad = await loadPieces({ pack, pieces, target: null, targetBytes: 0 })
    for (const chunk of bad) names.set(`${pack.id} ${chunk}`, hashOf(pack, chunk))
    damaged.push(...bad)
    checked += pieces.reduce((sum, piece) => sum + piece.count, 0)
    onRatio(checked / pack.chunks)
  })
  result.checkedChunks += pack.chunks
  result.checkedBytes += pack.chunks * pack.chunkBytes
  return damaged.sort((a, b) => a - b)
}

async function checkArchives(store: Store, damage: ReadonlyMap<string, number[] | 'all'>, names: ReadonlyMap<string, string>, result: Verified, signal: AbortSignal): Promise<void> {
  const bad = new Map([...damage].map(([id, chunks]) => [id, chunks === 'all' ? 'all' : new Set(chunks)] as const))
  const found = new Map<string, DamagedChunk>()
  for (const listed of await store.list()) {
    throwIfCancelled(signal)
    result.archives++
    if (!listed.head) {
      result.unreadable.push({ path: listed.path, problem: listed.error.message })
      continue
    }
    const touched = await checkArchive(store, listed.path, bad, names, found, result)
    if (touched) result.touchedArchives.push(listed.head.name)
  }
  result.damagedChunks = found.size
  result.damaged = [...found.values()].slice(0, MOST_LISTED)
}

async function checkArchive(
  store: Store,
  path: string,
  bad: ReadonlyMap<string, 'all' | ReadonlySet<number>>,
  names: ReadonlyMap<string, string>,
  found: Map<string, DamagedChunk>,
  result: Verified
): Promise<boolean> {
  const archive = await ifThere(() => store.archives.readAt(path))
  if (!archive) return false
  const { head, runs } = archive
  const there = new Set(await store.packs.list())
  const missing = head.packs.filter((id) => !there.has(id))
  for (const id of missing) result.unreadable.push({ path: store.packs.pathOf(id), problem: `The pack is gone; the archive “${head.name}” needs it.` })
  let touched = missing.length > 0
  for (const [i, file] of head.files.entries()) {
    let offset = 0
    for (const run of runs[i]!) {
      const damaged = run.pack === ZEROS ? undefined : bad.get(head.packs[run.pack]!)
      for (let n = 0; damaged && n < run.chunks; n++) {
        if (damaged !== 'all' && !damaged.has(run.first + n)) continue
        touched = true
        note(found, head.packs[run.pack]!, run.first + n, names, { archive: head.name, file: file.name, offset: offset + n * head.chunkBytes })
      }
      offset += run.chunks * head.chunkBytes
    }
  }
  return touched
}

function note(found: Map<string, DamagedChunk>, pack: string, chunk: number, names: ReadonlyMap<string, string>, touched: Touched): void {
  const key = `${pack} ${chunk}`
  const known = found.get(key)
  if (known) known.touches.push(touched)
  else found.set(key, { chunk: names.get(key) ?? '', pack, touches: [touched] })
}
