/**
 * npm run -s bench -- archive [RUNS]: the memory of a snapshot of a running guest of 256 MB, 100 MB of it in use, is saved into the store and
 * taken out of the cache; then the machine goes back to it with nothing of the store in the page cache. Beside it the same from the cache, and the
 * export into one file and back.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { emit, median, progress, rounded } from './support/figures'
import { timed, withLab } from './support/lab'

const runs = Number(process.argv[2] ?? 5)
const MACHINE = 'lab1'

/** Takes files out of the page cache. */
function forget(folder: string): void {
  for (const path of execFileSync('find', [folder, '-type', 'f'], { encoding: 'utf8' }).trim().split('\n')) execFileSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none'])
}

async function main(): Promise<void> {
  const figures = await withLab(async (lab) => {
    await lab.done('machine.create', { name: MACHINE, memory: '256M', cpus: 2 })
    await lab.done('machine.start', { machine: MACHINE, wait: 'agent' })
    await lab.call('guest.exec', { machine: MACHINE, command: ['sh', '-c', 'dd if=/dev/urandom of=/dev/shm/use bs=1M count=100'], timeoutSeconds: 120 })
    await lab.done('snapshot.take', { machine: MACHINE, name: 'one' })
    const archiveMs = await timed(() => lab.done('snapshot.archive', { snapshot: 'one' }))
    const { storedBytes } = await lab.call('store.stats', {})
    const all = { cold: [] as number[], cached: [] as number[] }
    for (let run = 1; run <= runs; run++) {
      for (const way of ['cold', 'cached'] as const) {
        if (way === 'cold') {
          await lab.done('snapshot.archive', { snapshot: 'one', evict: true })
          forget(join(lab.home, 'library/store'))
        }
        all[way].push(await timed(() => lab.done('snapshot.restore', { snapshot: 'one', keep: false })))
        await lab.done('machine.stop', { machine: MACHINE, force: true })
      }
      progress(`${run}/${runs}: from the store ${Math.round(all.cold.at(-1)!)} ms, from the cache ${Math.round(all.cached.at(-1)!)} ms`)
    }
    const file = join(lab.home, 'one.strata')
    const exportMs = await timed(() => lab.done('snapshot.export', { snapshot: 'one', file, images: false }))
    const importMs = await timed(() => lab.done('snapshot.import', { file, anew: true }))
    return {
      archiveMs: rounded(archiveMs, 0),
      storedMiB: rounded(storedBytes / 2 ** 20, 1),
      coldMs: rounded(median(all.cold), 0),
      cachedMs: rounded(median(all.cached), 0),
      exportMs: rounded(exportMs, 0),
      importMs: rounded(importMs, 0)
    }
  })
  emit('archive', { runs, ...figures })
}
void main()
