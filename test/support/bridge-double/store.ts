import { failure, type AnswerOf, type ArchiveStats, type Image, type OperationName, type ParsedInputOf, type StoreExperiment, type StoreStats } from '#contract'
import type { Work, World } from './world'

/** The store of the double's world: archives in memory, whose sizes are imagined but fit each other. */
type StoreOperation = Extract<OperationName, `store.${string}`>
type StoreHandlers = { [N in StoreOperation]: (input: ParsedInputOf<N>, world: World) => AnswerOf<N> | Promise<AnswerOf<N>> }

const MIB = 2 ** 20
interface Imagined {
  archives: Map<string, ArchiveStats>
  unusedBytes: number
}
const stores = new WeakMap<World, Imagined>()
const storeOf = (world: World): Imagined => {
  const store = stores.get(world) ?? { archives: new Map<string, ArchiveStats>(), unusedBytes: 0 }
  stores.set(world, store)
  return store
}

function imageOf(reference: string, world: World): Image {
  const found = world.images.get(reference) ?? [...world.images.values()].find((image) => image.name === reference)
  if (!found) throw failure('not-found', `There is no image “${reference}”.`, { what: 'image', name: reference })
  return found
}

function archiveOf(name: string, world: World): ArchiveStats {
  const found = storeOf(world).archives.get(name)
  if (!found) throw failure('not-found', `There is no archive “${name}” in the store.`, { what: 'archive', name })
  return found
}

function stats(world: World): StoreStats {
  const { archives, unusedBytes } = storeOf(world)
  const all = [...archives.values()].reverse()
  const sum = (of: (archive: ArchiveStats) => number): number => all.reduce((bytes, archive) => bytes + of(archive), 0)
  const sharedBytes = all.length > 1 ? 18 * MIB : 0
  const indexBytes = all.length * 200_000
  return {
    chunkBytes: world.settings.storeChunkBytes,
    logicalBytes: sum((archive) => archive.logicalBytes),
    dataBytes: sum((archive) => archive.dataBytes),
    storedBytes: sum((archive) => archive.ownBytes) + sharedBytes + unusedBytes + indexBytes,
    unusedBytes,
    sharedBytes,
    indexBytes,
    packs: all.length + (unusedBytes > 0 ? 1 : 0),
    chunks: all.length * 4000,
    archives: all,
    unreadable: []
  }
}

const task = (world: World, operation: StoreOperation, title: string, subject: string, act: (work: Work) => Promise<unknown>): { taskId: string } => ({
  taskId: world.run(operation, title, subject, act).id
})

export const storeHandlers: StoreHandlers = {
  'store.stats': (_input, world) => stats(world),
  'store.archive': ({ image: reference, name, note }, world) => {
    const image = imageOf(reference, world)
    const archiveName = name ?? image.name
    return task(world, 'store.archive', `Archive ${image.name}`, image.name, async (work) => {
      if (storeOf(world).archives.has(archiveName)) throw failure('already-exists', `There is already an archive “${archiveName}” in the store.`, { what: 'archive', name: archiveName, next: 'Choose another name.' })
      work.phase(`saving ${image.name}`, 0.5)
      await work.pass(600)
      const files = [{ name: `disk.${image.format ?? 'raw'}`, sizeBytes: image.virtualSizeBytes }]
      const sizes = { logicalBytes: image.virtualSizeBytes, dataBytes: image.fileSizeBytes, ownBytes: Math.round(image.fileSizeBytes / 3) }
      const archive: ArchiveStats = { name: archiveName, kind: 'image', note, savedAtMs: Date.now(), tookMs: 600, chunkBytes: world.settings.storeChunkBytes, files, ...sizes }
      storeOf(world).archives.set(archiveName, archive)
      return archive
    })
  },
  'store.restore': ({ archive: reference, name }, world) => {
    const archive = archiveOf(reference, world)
    return task(world, 'store.restore', `Restore ${archive.name}`, archive.name, async (work) => {
      await work.pass(400)
      const [source] = world.images.values()
      const image: Image = { ...source!, id: world.newId('image'), name: name ?? `${archive.name} 2`, referenced: false }
      world.images.set(image.id, image)
      world.emit({ kind: 'image-changed', image })
      return image
    })
  },
  'store.remove': ({ archive }, world) => {
    const store = storeOf(world)
    store.unusedBytes += archiveOf(archive, world).ownBytes
    store.archives.delete(archive)
    return { removed: archive }
  },
  'store.verify': (_input, world) =>
    task(world, 'store.verify', 'Verify the store', 'store', async (work) => {
      work.phase('reading every chunk', 0.4)
      await work.pass(500)
      const { chunks, archives } = stats(world)
      return { checkedBytes: chunks * 4096, checkedChunks: chunks, archives: archives.length, damaged: [], damagedChunks: 0, unreadable: [], touchedArchives: [] }
    }),
  'store.gc': (_input, world) =>
    task(world, 'store.gc', 'Clean up the store', 'store', async (work) => {
      await work.pass(300)
      const store = storeOf(world)
      const freedBytes = store.unusedBytes
      store.unusedBytes = 0
      return { freedBytes, removedPacks: freedBytes > 0 ? 1 : 0, rewrittenPacks: 0, damagedPacks: [] }
    }),
  'store.experiment': ({ archive, image, chunk }, world) =>
    task(world, 'store.experiment', 'Measure chunk sizes', 'store', async (work) => {
      work.phase('saving and loading with each chunk size', 0.3)
      await work.pass(800)
      const of = [...archive, ...image.map((reference) => imageOf(reference, world).name)]
      const rows = chunk.map((chunkBytes, i) => ({ chunkBytes, storedBytes: (80 + i * 9) * MIB, indexBytes: MIB / (i + 1), saveMs: 620 - i * 60, loadMs: 410 - i * 30 }))
      return { of, dataBytes: 400 * MIB, rows } satisfies StoreExperiment
    })
}
