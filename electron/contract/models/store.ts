import { z } from 'zod'

/** What a chunk may be: a power of two from 4 KiB to 1 MiB. */
export const CHUNK_SIZES = [4, 8, 16, 32, 64, 128, 256, 512, 1024].map((kib) => kib * 1024)

export const ArchiveStats = z.object({
  name: z.string(),
  /** What it is of: `image`. */
  kind: z.string(),
  note: z.string(),
  savedAtMs: z.number(),
  tookMs: z.number(),
  chunkBytes: z.number(),
  files: z.array(z.object({ name: z.string(), sizeBytes: z.number() })),
  /** The size of its files, and what of it is not zeros. */
  logicalBytes: z.number(),
  dataBytes: z.number(),
  /** What only this archive needs of the store: so much a clean-up gives back after it was removed. */
  ownBytes: z.number()
})
export type ArchiveStats = z.output<typeof ArchiveStats>

const unreadable = z.array(z.object({ path: z.string(), problem: z.string() }))

export const StoreStats = z.object({
  /** Of new archives. */
  chunkBytes: z.number(),
  /** What all archives hold, as if each were stored by itself; and what of it is not zeros. */
  logicalBytes: z.number(),
  dataBytes: z.number(),
  /** What the store takes. */
  storedBytes: z.number(),
  /** Of this: chunks that no archive needs, chunks that several need, and indexes and lists. */
  unusedBytes: z.number(),
  sharedBytes: z.number(),
  indexBytes: z.number(),
  packs: z.number(),
  chunks: z.number(),
  archives: z.array(ArchiveStats),
  /** Packs and archives that cannot be read, with the reason. */
  unreadable
})
export type StoreStats = z.output<typeof StoreStats>

export const StoreVerified = z.object({
  checkedBytes: z.number(),
  checkedChunks: z.number(),
  archives: z.number(),
  /** Damaged chunks that an archive needs, where it needs them; the first thousand. */
  damaged: z.array(
    z.object({
      /** The first half of its BLAKE3 hash; empty where the index of its pack is damaged. */
      chunk: z.string(),
      pack: z.string(),
      touches: z.array(z.object({ archive: z.string(), file: z.string(), offset: z.number() }))
    })
  ),
  damagedChunks: z.number(),
  /** Packs and archives that cannot be read or are gone, with the reason. */
  unreadable,
  /** The archives that cannot be loaded as a whole. All others can. */
  touchedArchives: z.array(z.string())
})
export type StoreVerified = z.output<typeof StoreVerified>

export const StoreCleaned = z.object({
  freedBytes: z.number(),
  removedPacks: z.number(),
  rewrittenPacks: z.number(),
  /** Packs that were left alone because they are damaged. */
  damagedPacks: z.array(z.string())
})
export type StoreCleaned = z.output<typeof StoreCleaned>

/** What a chunk size makes of the same files. */
export const StoreExperiment = z.object({
  /** What was saved, by name, and its size without zeros. */
  of: z.array(z.string()),
  dataBytes: z.number(),
  rows: z.array(z.object({ chunkBytes: z.number(), storedBytes: z.number(), indexBytes: z.number(), saveMs: z.number(), loadMs: z.number() }))
})
export type StoreExperiment = z.output<typeof StoreExperiment>
