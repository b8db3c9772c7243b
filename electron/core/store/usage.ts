import { failure, Failure } from '#contract'
import type { Archive } from './archive-format'
import type { Pack } from './packs'
import { ZEROS } from './runs'
import { storedBytesOf } from './pack-format'
import type { Store } from './store'

const NOBODY = 0
const SEVERAL = 0xffff

/** Which chunks of a pack are used: by nobody, by one archive (its position plus one), or by several. */
export type Usage = Uint16Array

/**
 * Counts who uses which chunk. Every archive has to be readable: what one needs that cannot be read would seem to be used by nobody.
 * @throws bad-file, newer-version
 */
export class UsageCount {
  private readonly packs = new Map<string, Usage>()
  readonly archives: { path: string; name: string }[] = []

  constructor(private readonly chunksOf: ReadonlyMap<string, number>) {
    for (const [id, chunks] of chunksOf) this.packs.set(id, new Uint16Array(chunks))
  }

  add(path: string, { head, runs }: Archive): void {
    const me = Math.min(this.archives.push({ path, name: head.name }), SEVERAL - 1)
    for (const file of runs) {
      for (const { chunks, pack, first } of file) {
        if (pack === ZEROS) continue
        const usage = this.packs.get(head.packs[pack]!)
        if (usage) mark(usage, first, chunks, me)
      }
    }
  }

  of(id: string): Usage {
    return this.packs.get(id)!
  }

  get ids(): string[] {
    return [...this.chunksOf.keys()]
  }
}

function mark(usage: Usage, first: number, chunks: number, me: number): void {
  for (let chunk = first; chunk < first + chunks; chunk++) {
    if (usage[chunk] === NOBODY) usage[chunk] = me
    else if (usage[chunk] !== me) usage[chunk] = SEVERAL
  }
}

/** Counts for packs that can be read. @param strict an archive that cannot be read is a failure, else it is left out */
export async function countUsage(store: Store, packs: ReadonlyMap<string, number>, strict: boolean): Promise<UsageCount> {
  const count = new UsageCount(packs)
  for (const listed of await store.list()) {
    const archive = listed.head && (await ifThere(() => store.archives.readAt(listed.path)))
    if (archive) count.add(listed.path, archive)
    else if (!listed.head && strict)
      throw failure('bad-file', `What the archive “${listed.path}” needs cannot be told: it cannot be read.`, { path: listed.path, next: 'Remove that archive, then clean up again.', cause: listed.error.message })
  }
  return count
}

/** What is gone by the time it is looked at needs nothing: null. */
export async function ifThere<T>(act: () => Promise<T>): Promise<T | null> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof Failure && error.error.code === 'not-found') return null
    throw error
  }
}

/** The bytes that chunks take in their pack, by who uses them. */
export function bytesByUse(pack: Pick<Pack, 'frames' | 'frameChunks' | 'chunks'>, usage: Usage): { unusedBytes: number; sharedBytes: number; own: Map<number, number> } {
  const bytesOf = storedBytesOf(pack.frames, pack.frameChunks, pack.chunks)
  const sums = { unusedBytes: 0, sharedBytes: 0, own: new Map<number, number>() }
  for (let chunk = 0; chunk < pack.chunks; chunk++) {
    const [bytes, user] = [bytesOf(chunk), usage[chunk]!]
    if (user === NOBODY) sums.unusedBytes += bytes
    else if (user === SEVERAL) sums.sharedBytes += bytes
    else sums.own.set(user, (sums.own.get(user) ?? 0) + bytes)
  }
  return sums
}

/** Chunks that somebody uses, as stretches that follow each other, each at most `most` long. */
export function* usedStretches(usage: Usage, most: number): Generator<{ first: number; count: number }> {
  for (let first = 0; first < usage.length; ) {
    let end = first
    while (end < usage.length && end - first < most && usage[end] !== NOBODY) end++
    if (end > first) yield { first, count: end - first }
    first = end === first ? first + 1 : end
  }
}
