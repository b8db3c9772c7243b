import { it } from 'vitest'
import { openLab } from '../support/lab'
import { SnapshotSequence } from '../support/snapshot-sequence'

/** Many more of them, with other seeds: npm run soak -- snapshots. */
const sequences = Number(process.env.STRATA_SEQUENCES ?? 1)
const first = Number(process.env.STRATA_SEED ?? 1)
const STEPS = 10

it.each(Array.from({ length: sequences }, (_, i) => first + i))('a random sequence of snapshots, restores, forks and clean-ups loses nothing (seed %i)', async (seed) => {
  const lab = await openLab()
  const sequence = new SnapshotSequence(lab, seed)
  await sequence.run(STEPS).catch((error: unknown) => {
    throw new Error(`after: ${sequence.log.join('; ')}`, { cause: error })
  })
})
