import type { ResultOf } from '#contract'
import type { Paint } from './paint'
import { formatDuration, formatSize, table } from './text'

/** What an X-ray has seen, for people: by disk, its layers from the top down. */
export function traceBlock({ machine, sinceMs, atMs, sampled, guest, files, events }: ResultOf<'trace.show'>, paint: Paint): string {
  const head = `${machine}, looked into for ${formatDuration(atMs - sinceMs)}${sampled ? '; it does so much that counts of layers are estimates' : ''}.\n`
  const asked = guest.map((one) => `${one.disk}: its guest asked for ${one.reads} reads (${formatSize(one.readBytes)}) and ${one.writes} writes (${formatSize(one.writtenBytes)}).\n`).join('')
  const rows = files.map((file) => [
    file.nodeName ?? '-',
    String(file.opens),
    String(file.reads),
    formatSize(file.servedBytes),
    String(file.writes),
    formatSize(file.writtenBytes),
    String(file.clusters),
    `${file.fileReads} / ${file.fileWrites}`
  ])
  const log = events.slice(-LAST_EVENTS).map(({ atMs: at, text }) => `${paint.dim(`+${((at - sinceMs) / 1000).toFixed(1)} s`)}  ${text}\n`)
  return (
    head +
    asked +
    '\n' +
    table(['LAYER', 'OPENS', 'ASKED', 'SERVED', 'WRITES', 'WRITTEN', 'CLUSTERS', 'FILE R / W'], rows, paint.dim) +
    (log.length > 0 ? '\n' + log.join('') : '')
  )
}

const LAST_EVENTS = 20
