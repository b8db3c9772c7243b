import type { ResultOf } from '#contract'
import type { Paint } from './paint'
import { ago, block, formatSize, table } from './text'

/** What the store holds, and what each archive takes of it. */
export function storeBlock(stats: ResultOf<'store.stats'>, paint: Paint): string {
  const saved = stats.dataBytes > 0 ? ` (${Math.round((1 - stats.storedBytes / stats.dataBytes) * 100)} % saved)` : ''
  const head = block(
    [
      ['Archived', `${formatSize(stats.logicalBytes)}, of which ${formatSize(stats.dataBytes)} are data`],
      ['Stored', formatSize(stats.storedBytes) + saved],
      ['  shared', formatSize(stats.sharedBytes)],
      ['  index', formatSize(stats.indexBytes)],
      ['  unused', formatSize(stats.unusedBytes) + (stats.unusedBytes > 0 ? ', to be freed by: strata store gc' : '')],
      ['Chunks', `${stats.chunks} in ${stats.packs} ${stats.packs === 1 ? 'pack' : 'packs'}; new ones of ${formatSize(stats.chunkBytes)}`]
    ],
    paint.dim
  )
  const rows = stats.archives.map((one) => [one.name, one.kind, formatSize(one.logicalBytes), formatSize(one.dataBytes), formatSize(one.ownBytes), `${ago(one.savedAtMs)} ago`])
  const problems = stats.unreadable.map(({ problem }) => `${paint.red('Cannot be read:')} ${problem}\n`).join('')
  return head + (rows.length > 0 ? '\n' + table(['ARCHIVE', 'KIND', 'SIZE', 'DATA', 'OWN', 'SAVED'], rows, paint.dim) : '') + problems
}

/** What is damaged in the store, and what that touches. */
export function verifiedBlock(verified: ResultOf<'store.verify'>, paint: Paint): string {
  const checked = `Checked ${verified.checkedChunks} chunks and ${verified.archives} ${verified.archives === 1 ? 'archive' : 'archives'} (${formatSize(verified.checkedBytes)}).\n`
  const unreadable = verified.unreadable.map(({ problem }) => `${paint.red('Cannot be read:')} ${problem}\n`).join('')
  const damaged = verified.damaged.map(({ chunk, touches }) => `${paint.red('Damaged:')} chunk ${chunk || '?'}, needed by ${touches.map((touch) => `${touch.archive} (${touch.file} at ${touch.offset})`).join(', ')}\n`).join('')
  const touched = verified.touchedArchives.length > 0 ? `Archives that cannot be loaded as a whole: ${verified.touchedArchives.join(', ')}. All others can.\n` : ''
  return checked + (unreadable + damaged + touched || `${paint.green('All is as it was saved.')}\n`)
}
