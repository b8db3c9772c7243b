import type { CaptureMethod } from '#contract'
import type { QmpSession } from '../qmp/session'
import type { MigrationCapability } from '../qmp/commands'
import { together } from '../task/together'
import { throwIfCancelled, type Work } from '../task/work'
import { copyMemory } from './copy'
import type { CaptureWay } from './method'
import { endMigration, Migration, seenTo } from './migration'
import { receive, type Received, type StreamFiles } from './receive'

export interface CaptureOptions {
  how: CaptureWay
  /** Unix socket for the stream, in a private folder. */
  socket: string
  files: StreamFiles
  /** Whether the guest runs now. */
  running: boolean
  /** Whether it is to go on afterwards. */
  resume: boolean
  /** Called while the guest still runs, maybe twice: what can be done before it stands still, so that it does so for less time. */
  beforeInstant: () => Promise<void>
  /** Called while the guest stands still, before memory is taken: what else belongs to the same instant. */
  atInstant: () => Promise<void>
}

export interface Captured extends Received {
  /** How long the guest stood still; 0 if it did before. */
  stallMs: number
}

/**
 * Writes out a machine's memory and devices as of one instant. Fails so that the guest goes on as before, and no migration is under way.
 * @throws no-space, connection-lost (QEMU ended), qmp (it cannot be migrated, with the reason), program-failed, protocol, cancelled
 */
export async function capture(qmp: QmpSession, options: CaptureOptions, work: Work): Promise<Captured> {
  const { how, socket, running } = options
  const receiver = await receive(socket, options.files)
  const copy = how.method === 'copied' ? copyMemory(how.memory, options.files.ram) : null
  const stall = watchStall(qmp)
  try {
    await Migration.during(qmp, CAPABILITIES[how.method], async (migration) => {
      if (copy) await unlessCancelled(work.signal, together([copy.nearly(), ...(running ? [options.beforeInstant()] : [])]))
      if (running) {
        await options.beforeInstant()
        await qmp.execute('stop')
      }
      const saved = async (): Promise<void> => {
        await options.atInstant()
        work.log('memory is being written out')
        await migration.start(socket)
        await migration.reach('completed', work, receiver.broken)
        if (how.method !== 'background') await seenTo(qmp)
      }
      await together([saved(), ...(copy ? [copy.finish()] : [])])
      if (how.method !== 'background' && options.resume) await qmp.execute('cont')
    })
    return { ...(await receiver.finish()), stallMs: running ? stall.ms() : 0 }
  } catch (error) {
    await goOn(qmp, running).catch(() => {}) // QEMU has ended: told by what failed
    throw (await receiver.trouble()) ?? error
  } finally {
    stall.end()
    await Promise.all([receiver.abandon(), copy?.abandon()])
  }
}

/**
 * `background`: QEMU lets the guest go on once it has saved the devices and write-protected memory. `copied`: memory that others may read is not in the stream.
 * Source: qapi/migration.json.
 */
const CAPABILITIES: Record<CaptureMethod, readonly MigrationCapability[]> = { background: ['background-snapshot'], copied: ['x-ignore-shared'], stopped: [] }

async function unlessCancelled(signal: AbortSignal, act: Promise<unknown>): Promise<void> {
  const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  await Promise.race([act, aborted])
  throwIfCancelled(signal)
}

/** No migration is under way afterwards, and a guest that ran runs. */
export async function goOn(qmp: QmpSession, running: boolean): Promise<void> {
  await endMigration(qmp)
  if (!running || (await qmp.execute('query-status')).running) return
  await seenTo(qmp)
  await qmp.execute('cont')
}

/** How long the guest stood still, by QEMU's own clock. */
function watchStall(qmp: QmpSession): { ms: () => number; end: () => void } {
  let stoppedAtMs: number | null = null
  let longestMs = 0
  const ends = [
    qmp.onEvent('STOP', (_, atMs) => (stoppedAtMs ??= atMs)),
    qmp.onEvent('RESUME', (_, atMs) => {
      if (stoppedAtMs !== null) longestMs = Math.max(longestMs, atMs - stoppedAtMs)
      stoppedAtMs = null
    })
  ]
  const ms = (): number => (stoppedAtMs === null ? longestMs : Math.max(longestMs, Date.now() - stoppedAtMs))
  return { ms, end: () => ends.forEach((end) => end()) }
}
