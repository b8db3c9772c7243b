import { Failure, type CaptureMethod } from '#contract'
import type { QmpSession } from '../qmp/session'
import type { Work } from '../task/work'
import { continueAfter, endMigration, Migration } from './migration'
import { receive, type Received, type StreamFiles } from './receive'

export interface CaptureOptions {
  method: CaptureMethod
  /** Unix socket for the stream, in a private folder. */
  socket: string
  files: StreamFiles
  /** Whether the guest runs now. */
  running: boolean
  /** Whether it is to go on: at the instant itself (`background`), or at the end (`stopped`). */
  resume: boolean
  /** Called while the guest still runs: what can be done before it stands still, so that it does so for less time. */
  beforeInstant: () => Promise<void>
  /** Called while the guest stands still, before memory is taken: what else belongs to the same instant. */
  atInstant: () => Promise<void>
}

export interface Captured extends Received {
  /** How long the guest stood still; 0 if it did before. */
  stallMs: number
}

/**
 * Whether the memory of a running machine can be written out while its guest goes on.
 * Source: capability `background-snapshot`, qapi/migration.json; it needs userfaultfd(2) with write protection.
 * @returns why not, in words; null when it can
 */
export async function backgroundProblem(qmp: QmpSession): Promise<string | null> {
  try {
    await setBackground(qmp, true)
    await setBackground(qmp, false)
    return null
  } catch (error) {
    if (!(error instanceof Failure) || error.error.code !== 'qmp') throw error
    const words = error.error.causes.join(' ')
    if (/memory configuration/.test(words)) return 'its memory is mapped from a file, as that of a restored machine is until it is started anew'
    if (/host kernel/.test(words)) return 'this user may not use userfaultfd: allow it with sudo sysctl vm.unprivileged_userfaultfd=1'
    return words
  }
}

const setBackground = (qmp: QmpSession, state: boolean): Promise<unknown> =>
  qmp.execute('migrate-set-capabilities', { capabilities: [{ capability: 'background-snapshot', state }] })

/**
 * Writes out a machine's memory and devices as of one instant. Fails so that the guest goes on as before, and no migration is under way.
 * @throws no-space, connection-lost (QEMU ended), qmp (it cannot be migrated, with the reason), program-failed, protocol, cancelled
 */
export async function capture(qmp: QmpSession, options: CaptureOptions, work: Work): Promise<Captured> {
  const { method, socket, running } = options
  const receiver = await receive(socket, options.files)
  const broken = receiver.done.then(() => new Promise<never>(() => {}))
  broken.catch(() => {}) // told by who waits for it, if anybody does
  const stall = watchStall(qmp)
  try {
    if (running) {
      await options.beforeInstant()
      await qmp.execute('stop')
    }
    await options.atInstant()
    work.log('memory is being written out')
    await Migration.during(qmp, { socket, capabilities: method === 'background' ? ['background-snapshot'] : [] }, async (migration) => {
      await migration.reach('completed', work, broken)
      if (method === 'stopped' && options.resume) await continueAfter(qmp)
    })
    return { ...(await receiver.done), stallMs: running ? stall.ms() : 0 }
  } catch (error) {
    await goOn(qmp, running).catch(() => {}) // QEMU has ended: told by what failed
    throw (await receiver.trouble()) ?? error
  } finally {
    stall.end()
    await receiver.abandon()
  }
}

/** No migration is under way afterwards, and a guest that ran runs. */
export async function goOn(qmp: QmpSession, running: boolean): Promise<void> {
  await endMigration(qmp)
  if (running && !(await qmp.execute('query-status')).running) await continueAfter(qmp)
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
