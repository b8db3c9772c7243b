import { z } from 'zod'
import { failure, type RingComparison } from '#contract'
import { exists, removeFile } from '../host/files'
import { run } from '../host/process'
import { throwIfCancelled, type Work } from '../task/work'
import type { Measure } from './ring'

type Way = RingComparison['ways'][number]

/** What native/compare/main.c prints. */
const Line = z.object({ perSecond: z.number(), meanNs: z.number(), medianNs: z.number(), p99Ns: z.number() })
const READY_MS = 10_000
const LOOK_MS = 20

/**
 * Reads random sectors of the image in three ways, one after the other: through the ring, and from exports of qemu-storage-daemon, which
 * also opens the image without the page cache and with io_uring.
 */
export const compareWays: Measure = async ({ requestsAtATime, seconds, image, paths, programs }, work) => {
  const sockets = { 'vhost-user-blk': paths.vhostSocket, nbd: paths.nbdSocket } as const
  const ended = new AbortController()
  const signal = AbortSignal.any([work.signal, ended.signal])
  await Promise.all(Object.values(sockets).map((socket) => removeFile(socket)))
  work.phase('exporting the image with qemu-storage-daemon')
  let failed: unknown = null
  const daemon = run('qemu-storage-daemon', exporting(image, sockets), { cwd: paths.root, signal }).catch((error: unknown) => void (failed ??= ended.signal.aborted ? null : error))
  try {
    await until(async () => (await exists(sockets.nbd)) && (await exists(sockets['vhost-user-blk'])), () => failed, work)
    const ways: Way[] = []
    for (const [name, where] of [['ring', '.'], ...Object.entries(sockets)] as [Way['name'], string][]) {
      work.phase(`reading by ${name}`)
      work.progress(ways.length / 3)
      const { stdout } = await programs.run('reader', [name, where, requestsAtATime, Math.round(seconds * 1000)], { cwd: paths.root, signal: work.signal, timeoutMs: seconds * 1000 + 30_000 })
      const figures = Line.parse(JSON.parse(stdout))
      work.log(`${name}: ${Math.round(figures.perSecond)} reads a second, median ${(figures.medianNs / 1000).toFixed(0)} µs`)
      ways.push({ name, ...figures })
    }
    return ways
  } finally {
    ended.abort()
    await daemon
    await Promise.all(Object.values(sockets).map((socket) => removeFile(socket)))
  }
}

/** Source: qemu-storage-daemon(1). */
function exporting(image: string, sockets: { nbd: string; 'vhost-user-blk': string }): string[] {
  const file = { driver: 'file', filename: image, 'node-name': 'file', 'read-only': true, cache: { direct: true }, aio: 'io_uring' }
  const node = { driver: 'raw', file: 'file', 'node-name': 'image', 'read-only': true }
  const address = (path: string) => ({ type: 'unix', path })
  return [
    ...['--blockdev', JSON.stringify(file), '--blockdev', JSON.stringify(node)],
    ...['--nbd-server', JSON.stringify({ addr: address(sockets.nbd) })],
    ...['--export', JSON.stringify({ type: 'nbd', id: 'nbd', 'node-name': 'image', name: '' })],
    ...['--export', JSON.stringify({ type: 'vhost-user-blk', id: 'vhost', 'node-name': 'image', addr: address(sockets['vhost-user-blk']) })]
  ]
}

/** Waits for what another program does and does not tell. */
async function until(isSo: () => Promise<boolean>, failed: () => unknown, work: Work): Promise<void> {
  for (const end = performance.now() + READY_MS; !(await isSo()); ) {
    throwIfCancelled(work.signal)
    const error = failed()
    if (error) throw error instanceof Error ? error : new Error('qemu-storage-daemon ended')
    if (performance.now() > end) throw failure('time-out', 'qemu-storage-daemon does not offer the image.', { waitedMs: READY_MS })
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}
