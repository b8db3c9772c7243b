import type { OperationName } from '#contract'
import { asTask, type Handlers } from '../context'
import { collectGarbage } from '../store/gc'
import { archiveImage, removeArchive, restoreImage, runExperiment } from '../store/library-store'
import { storeStats } from '../store/stats'
import { verifyStore } from '../store/verify'
import type { Work } from '../task/work'

const STORE = 'store'
const watching = (work: Work) => ({ signal: work.signal, progress: work.progress })

export const storeHandlers: Handlers<Extract<OperationName, `store.${string}`>> = {
  'store.stats': (_input, { store }) => storeStats(store),
  'store.archive': asTask('store.archive', (input) => `Archive ${input.image}`, (input) => input.image, archiveImage),
  'store.restore': asTask('store.restore', (input) => `Restore ${input.archive}`, (input) => input.archive, restoreImage),
  'store.remove': (input, context) => removeArchive(input, context),
  'store.verify': asTask('store.verify', () => 'Verify the store', () => STORE, async (_input, { store }, work) => {
    work.phase('reading every chunk')
    return verifyStore(store, watching(work))
  }),
  'store.gc': asTask('store.gc', () => 'Clean up the store', () => STORE, async (_input, { store }, work) => {
    work.phase('looking for what nobody needs')
    return collectGarbage(store, watching(work))
  }),
  'store.experiment': asTask('store.experiment', () => 'Measure chunk sizes', () => STORE, runExperiment)
}
