import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { failure, toAppError, type Failure } from '#contract'
import { ensurePrivateFolder, exists, readJson, removeFile, truncate, writeJsonAtomic } from '../host/files'
import { bootId, isSameProcess, signalProcess, spawnDetached } from '../host/process'
import { checkSocketPath, waitForSocket } from '../host/socket'
import type { DaemonPaths } from '../library/paths'
import { lastLines } from '../machine/exit'
import { processGone } from '../machine/qemu'
import { QmpSession } from '../qmp/session'

const PROGRAM = 'qemu-storage-daemon'
const LAUNCH_TIMEOUT_MS = 30_000
const ADOPT_TIMEOUT_MS = 2_000
const QUIT_TIMEOUT_MS = 5_000
const KILL_TIMEOUT_MS = 10_000

const DaemonRecord = z.object({ schemaVersion: z.literal(1), pid: z.number().int(), startTicks: z.number(), bootId: z.string() })
type DaemonRecord = z.output<typeof DaemonRecord>

/** A qemu-storage-daemon of ours: started by this process, or found running. It outlives the app, as QEMU does. */
export interface StorageDaemon {
  readonly pid: number
  readonly qmp: QmpSession
  /** Fulfilled when the process has ended, by whatever. */
  readonly ended: Promise<void>
  /** Opens one more image in it, in the way that its first one is read. @throws qmp */
  open(node: Record<string, unknown>): Promise<void>
  /** Ends it in good order: what is being read is answered first, and its files are closed. */
  quit(): Promise<void>
  /** Ends it at once: what it had not written is gone. @throws time-out (the system itself waits for its storage, and does not let it end) */
  kill(): Promise<void>
  /** Lets go of it: it runs on. */
  release(): void
}

/**
 * Starts a daemon that has an image open; by io_uring, where the system and QEMU let it.
 * @param node the image as block nodes, with all that it stands on
 * @throws missing-program, program-failed (with its words), time-out
 */
export async function launchDaemon(runtime: DaemonPaths, node: Record<string, unknown>): Promise<StorageDaemon> {
  try {
    return await launch(runtime, node, byIoUring)
  } catch (error) {
    // It is switched off on some systems (sysctl kernel.io_uring_disabled, in containers), and is left out of some QEMUs.
    if (!toAppError(error).causes.some((words) => words.includes('io_uring'))) throw error
    return launch(runtime, node, (one) => one)
  }
}
/** How nodes are to read their files. */
type ReadFiles = (node: Record<string, unknown>) => Record<string, unknown>

/**
 * The same nodes, whose files are read and written by io_uring: without it each request is handed to a thread, and its answer handed back, which are two
 * wake-ups more. Source: BlockdevOptionsFile `aio`, qapi/block-core.json.
 */
export const byIoUring = (node: Record<string, unknown>): Record<string, unknown> => ({
  ...Object.fromEntries(Object.entries(node).map(([name, value]) => [name, isNode(value) ? byIoUring(value) : value])),
  ...(node.driver === 'file' ? { aio: 'io_uring' } : {})
})
const isNode = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && 'driver' in value

async function launch(runtime: DaemonPaths, node: Record<string, unknown>, as: ReadFiles): Promise<StorageDaemon> {
  await ensurePrivateFolder(runtime.root)
  checkSocketPath(runtime.daemonQmp)
  await removeFile(runtime.daemonQmp)
  await truncate(runtime.daemonLog)
  const started = await spawnDetached(PROGRAM, daemonArguments(runtime, as(node)), { logFile: runtime.daemonLog })
  const record: DaemonRecord = { schemaVersion: 1, pid: started.pid, startTicks: started.startTicks, bootId: bootId() }
  const gone = new AbortController()
  const exited = started.exited.then(() => gone.abort())
  try {
    await writeJsonAtomic(runtime.daemonRecord, record)
    const socket = await waitForSocket(runtime.daemonQmp, { signal: gone.signal, timeoutMs: LAUNCH_TIMEOUT_MS })
    const qmp = await QmpSession.over(socket, { peer: 'the storage daemon' })
    return daemonOver(qmp, record, exited, runtime, as)
  } catch (error) {
    // Its monitor answers before its images are opened: one that could not is seen to hang up, or to be gone.
    const ended = gone.signal.aborted || toAppError(error).code === 'connection-lost'
    const failed = ended ? await explained(runtime) : error
    signalProcess(record.pid, record.startTicks, 'SIGKILL')
    await exited
    await removeFile(runtime.daemonRecord)
    throw failed
  }
}

/**
 * Source: qemu-storage-daemon(1), QEMU 7.2. Exports are added over its monitor. There is no I/O thread: a node in one makes QEMU 7.2 abort when an
 * NBD client goes (blockdev-nbd.c, nbd_blockdev_client_closed), and a daemon has nothing else to do in its main thread.
 */
export const daemonArguments = (runtime: DaemonPaths, node: Record<string, unknown>): string[] => [
  ...['--chardev', `socket,id=qmp,path=${runtime.daemonQmp.replaceAll(',', ',,')},server=on,wait=off`],
  ...['--monitor', 'chardev=qmp'],
  ...['--blockdev', JSON.stringify(node)]
]

async function explained(runtime: DaemonPaths): Promise<Failure> {
  const words = (await lastLines(runtime.daemonLog)).map((line) => line.replace(/^qemu-storage-daemon: (--blockdev \{.*\}: )?/, '')) // not what it was told
  return failure('program-failed', 'The storage daemon could not open the image.', { program: PROGRAM, exitCode: null, cause: words })
}

/** Takes over a daemon that another Strata process started; one that does not answer is ended. @returns null when there is none */
export async function adoptDaemon(runtime: DaemonPaths): Promise<StorageDaemon | null> {
  if (!(await exists(runtime.daemonRecord))) return null
  const record = await readJson(runtime.daemonRecord, DaemonRecord).catch(() => null) // cut off while it was written: it had no client yet
  if (!record || record.bootId !== bootId() || !isSameProcess(record.pid, record.startTicks)) {
    await removeFile(runtime.daemonRecord)
    return null
  }
  try {
    const socket = await waitForSocket(runtime.daemonQmp, { signal: new AbortController().signal, timeoutMs: ADOPT_TIMEOUT_MS })
    const qmp = await QmpSession.over(socket, { peer: 'the storage daemon', timeoutMs: ADOPT_TIMEOUT_MS })
    const ended = qmp.closed.then(() => processGone(record.pid, record.startTicks))
    return daemonOver(qmp, record, ended, runtime, (node) => node)
  } catch {
    signalProcess(record.pid, record.startTicks, 'SIGKILL') // it hangs, or is out of reach: another takes its place
    await removeFile(runtime.daemonRecord)
    return null
  }
}

function daemonOver(qmp: QmpSession, record: DaemonRecord, exited: Promise<void>, runtime: DaemonPaths, as: ReadFiles): StorageDaemon {
  let released = false
  const ended = exited.then(async () => {
    if (released) return new Promise<void>(() => {}) // never told: it is the next owner's
    qmp.close()
    await removeFile(runtime.daemonRecord)
  })
  const kill = async (): Promise<void> => {
    signalProcess(record.pid, record.startTicks, 'SIGKILL')
    if (await endsWithin(ended, KILL_TIMEOUT_MS)) return
    throw failure('time-out', 'The storage daemon does not end.', { waitedMs: KILL_TIMEOUT_MS, next: 'The system waits for the storage that its files are on: it ends as soon as that answers.' })
  }
  return {
    pid: record.pid,
    qmp,
    ended,
    open: async (node) => void (await qmp.execute('blockdev-add', as(node) as never)),
    quit: async () => {
      qmp.execute('quit').catch(() => {}) // it ends before it answers, or has ended
      if (!(await endsWithin(ended, QUIT_TIMEOUT_MS))) await kill()
    },
    kill,
    release: () => {
      released = true
      qmp.close()
    }
  }
}

async function endsWithin(ended: Promise<void>, timeoutMs: number): Promise<boolean> {
  const over = new AbortController()
  const late = delay(timeoutMs, false, { signal: over.signal }).catch(() => true)
  return Promise.race([ended.then(() => true), late]).finally(() => over.abort())
}
