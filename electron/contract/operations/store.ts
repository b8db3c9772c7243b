import { z } from 'zod'
import { Image } from '../models/image'
import { ArchiveStats, CHUNK_SIZES, StoreCleaned, StoreExperiment, StoreStats, StoreVerified } from '../models/store'
import { operation } from '../operation'
import { Name, Size } from '../values'

const archive = z.string().min(1).meta({ description: 'name of the archive', cli: '<archive>' })

/** A chunk size: bytes, or text such as `4K`. */
export const ChunkSize = Size.refine((bytes) => CHUNK_SIZES.includes(bytes), 'a chunk is 4K, 8K, 16K, 32K, 64K, 128K, 256K, 512K or 1M')

export const storeOperations = {
  'store.stats': operation({
    help: 'show what is archived in the deduplicated store, what it would take by itself, and what it takes',
    input: z.object({}),
    result: StoreStats,
    reads: true
  }),
  'store.archive': operation({
    help: 'save an image into the store; what is there already is not stored again, and the image stays as it is',
    input: z.object({
      image: z.string().min(1).meta({ description: 'name or id', cli: '<image>' }),
      name: Name.optional().meta({ description: 'name of the archive; by default the image’s' }),
      note: z.string().max(500).default('').meta({ description: 'for people' })
    }),
    result: ArchiveStats,
    task: true,
    positional: ['image']
  }),
  'store.restore': operation({
    help: 'make an image of an archive, as it was saved',
    input: z.object({ archive, name: Name.optional().meta({ description: 'name of the image; by default the archive’s' }) }),
    result: Image,
    task: true,
    positional: ['archive']
  }),
  'store.remove': operation({
    help: 'remove an archive; “store gc” gives its space back',
    input: z.object({ archive }),
    result: z.object({ removed: z.string() }),
    positional: ['archive']
  }),
  'store.verify': operation({
    help: 'read and check all that is stored, and name what is damaged and what that touches',
    input: z.object({}),
    result: StoreVerified,
    task: true
  }),
  'store.gc': operation({
    help: 'give back the space of what no archive needs any more',
    input: z.object({}),
    result: StoreCleaned,
    task: true
  }),
  'store.experiment': operation({
    help: 'measure size and time against chunk size, on archives or images of your own',
    input: z.object({
      archive: z.array(archive).default([]).meta({ description: 'archives to measure with' }),
      image: z.array(z.string().min(1)).default([]).meta({ description: 'images to measure with; by default all that can be used, if no archive is named either', cli: '<image>' }),
      chunk: z.array(ChunkSize).min(1).default([4096, 16384, 65536, 262144, 1048576]).meta({ description: 'chunk sizes' })
    }),
    result: StoreExperiment,
    task: true
  })
}
