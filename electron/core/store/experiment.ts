import { join } from 'node:path'
import { ensurePrivateFolder, removeTree } from '../host/files'
import { Store, type Watch } from './store'
import { storeStats } from './stats'
import type { Source } from './save'

/** What a chunk size makes of the files. */
export interface ExperimentRow {
  chunkBytes: number
  storedBytes: number
  /** Of this: indexes and lists. */
  indexBytes: number
  saveMs: number
  loadMs: number
}

/**
 * Saves the files into an empty store of their own, loads them back, and removes it all: once for each chunk size. The figures are those of
 * the real thing, on this computer.
 * @param folder an empty folder on the file system that holds the store
 */
export async function experiment(
  folder: string,
  files: readonly Source[],
  chunkSizes: readonly number[],
  { signal = new AbortController().signal, progress }: Watch,
  onRow: (row: ExperimentRow) => void = () => {}
): Promise<ExperimentRow[]> {
  const rows: ExperimentRow[] = []
  for (const [i, chunkBytes] of chunkSizes.entries()) {
    const part = (from: number, share: number) => (ratio: number) => progress?.((i + from + ratio * share) / chunkSizes.length)
    const home = join(folder, String(chunkBytes))
    const row = await measure(home, files, chunkBytes, { signal, progress: part(0, 0.5) }, { signal, progress: part(0.5, 0.5) })
    onRow(row)
    rows.push(row)
  }
  return rows
}

async function measure(home: string, files: readonly Source[], chunkBytes: number, saving: Watch, loading: Watch): Promise<ExperimentRow> {
  const store = new Store(join(home, 'store'), (settings) => ({ ...settings, chunkBytes }))
  const [out, began] = [join(home, 'out'), performance.now()]
  try {
    await ensurePrivateFolder(out)
    await store.put('experiment', files, saving)
    const saved = performance.now()
    await store.get('experiment', out, loading)
    const loaded = performance.now()
    const { storedBytes, indexBytes } = await storeStats(store)
    return { chunkBytes, storedBytes, indexBytes, saveMs: saved - began, loadMs: loaded - saved }
  } finally {
    await store.close()
    await removeTree(home)
  }
}
