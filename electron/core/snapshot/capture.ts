import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { failure, Failure, type CaptureMethod } from '#contract'
import { PageFile } from '../host/page-file'
import { listenForOne } from '../host/socket'
import type { MigrationInfo } from '../qmp/commands'
import type { QmpSession } from '../qmp/session'
import { cancelled, type Work } from '../task/work'
import { PAGE_BYTES, StreamSplitter } from './split'

const POLL_MS = 5
/** QEMU's default is 128 MiB/s. Its parameter is an unsigned 64-bit number of bytes a second. */
const NO_LIMIT = 2 ** 50
/** Of memory that is not in use: what is found when it is cancelled, is told at once. */
const END_TIMEOUT_MS = 5_000

export interface CaptureOptions {
  method: CaptureMethod
  /** Unix socket for the stream, in a private folder. */
  socket: string
  /** Files to make: flat memory, and the rest of the stream. */
  files: { ram: string; devices: string }
  /** Whether the guest runs now. */
  running: boolean
  /** Whether it is to go on: at the instant itself (`background`), or at the end (`stopped`). */
  resume: boolean
  /** Called while the guest stands still, before memory is taken: what else belongs to the same instant. */
  atInstant: () => Promise<void>
}

export interface Captured {
  memoryBytes: number
  devicesSha256: string
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
 * Writes out a machine's memory and devices as of one instant. Fails so that the guest goes on as before.
 * @throws no-space, connection-lost (QEMU ended), qmp (it cannot be migrated, with the reason), protocol, cancelled
 */
export async function capture(qmp: QmpSession, options: CaptureOptions, work: Work): Promise<Captured> {
  const { method, resume } = options
  const listening = await listenForOne(options.socket)
  try {
    await qmp.execute('migrate-set-parameters', { 'max-bandwidth': NO_LIMIT })
    if (method === 'background') await setBackground(qmp, true)
    const began = performance.now()
    let stalledMs: number | null = null
    const unsubscribe = qmp.onEvent('RESUME', () => (stalledMs ??= performance.now() - began))
    if (options.running) await qmp.execute('stop')
    try {
      await options.atInstant()
      await qmp.execute('migrate', { uri: `unix:${options.socket}` })
      const files = receive(listening.caller, options.files, work)
      const received = await followed(qmp, files, work)
      if (method === 'stopped' && resume) await qmp.execute('cont')
      return { ...received, stallMs: options.running ? (stalledMs ?? performance.now() - began) : 0 }
    } catch (error) {
      await endMigration(qmp)
      if (options.running) await qmp.execute('cont').catch(() => {}) // QEMU has ended, or it runs: both are told by what failed
      throw error
    } finally {
      unsubscribe()
      if (method === 'background') await setBackground(qmp, false).catch(() => {}) // QEMU has ended
    }
  } finally {
    await listening.close()
  }
}

type Received = Pick<Captured, 'memoryBytes' | 'devicesSha256'>

/** Waits for the whole stream and for QEMU's word that it was all. */
async function followed(qmp: QmpSession, files: { done: Promise<Received>; abandon: () => Promise<void> }, work: Work): Promise<Received> {
  let failed: unknown = null
  let received: Received | null = null
  files.done.then((value) => (received = value), (error: unknown) => (failed = error))
  try {
    for (;;) {
      if (work.signal.aborted) throw cancelled()
      if (failed) throw await explained(qmp, failed)
      const info = await qmp.execute('query-migrate')
      if (info.status === 'failed' || info.status === 'cancelled') throw refused(info)
      if (info.status === 'completed' && received) return received
      if (info.ram && info.ram.total > 0) work.progress(1 - info.ram.remaining / info.ram.total)
      await delay(POLL_MS)
    }
  } catch (error) {
    await files.abandon()
    throw error
  }
}

const refused = (info: MigrationInfo): Failure =>
  failure('program-failed', 'QEMU could not write the machine’s memory out.', { program: 'QEMU', exitCode: null, cause: info['error-desc'] })

/** A stream that breaks off has a reason, and QEMU may know it. */
async function explained(qmp: QmpSession, error: unknown): Promise<unknown> {
  if (!(error instanceof Failure) || error.error.code !== 'protocol') return error
  const info = await qmp.execute('query-migrate')
  return info.status === 'failed' ? refused(info) : error
}

/** Ends a migration that is under way, and waits until it has: QEMU carries on with nothing else before. */
async function endMigration(qmp: QmpSession): Promise<void> {
  try {
    await qmp.execute('migrate_cancel')
    for (const deadline = performance.now() + END_TIMEOUT_MS; performance.now() < deadline; await delay(POLL_MS)) {
      const { status } = await qmp.execute('query-migrate')
      if (status === undefined || ['none', 'completed', 'failed', 'cancelled'].includes(status)) return
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error // otherwise QEMU has ended, and with it the migration
  }
}

/** Takes the stream apart into two files as it comes. */
function receive(caller: Promise<AsyncIterable<Buffer> & { destroy(): void }>, paths: CaptureOptions['files'], work: Work): { done: Promise<Received>; abandon: () => Promise<void> } {
  const stop = new AbortController()
  let socket: { destroy(): void } | null = null
  const done = (async (): Promise<Received> => {
    const called = await Promise.race([caller, new Promise<never>((_, reject) => stop.signal.addEventListener('abort', () => reject(cancelled()), { once: true }))])
    socket = called
    const ram = await PageFile.create(paths.ram)
    const devices = await PageFile.create(paths.devices)
    try {
      return await splitInto(called, ram, devices)
    } catch (error) {
      called.destroy()
      await Promise.all([ram.abandon(), devices.abandon()])
      throw error
    }
  })()
  work.log('memory is being written out')
  const abandon = async (): Promise<void> => {
    stop.abort()
    socket?.destroy()
    await done.catch(() => {}) // told by whoever abandons it
  }
  return { done, abandon }
}

async function splitInto(stream: AsyncIterable<Buffer>, ram: PageFile, devices: PageFile): Promise<Received> {
  const hash = createHash('sha256')
  const zeros = Buffer.alloc(PAGE_BYTES)
  let memoryBytes = 0
  let written = new Uint8Array(0)
  let devicesBytes = 0
  const splitter = new StreamSplitter('mem', {
    onMemory: (sizeBytes) => {
      memoryBytes = sizeBytes
      written = new Uint8Array(sizeBytes / PAGE_BYTES)
    },
    onPage: (at, page) => {
      written[at / PAGE_BYTES] = 1
      ram.write(at, page)
    },
    // A page that changed to zeros after it was sent; one that never was sent is a hole.
    onZeroPage: (at) => {
      if (written[at / PAGE_BYTES]) ram.write(at, zeros)
    },
    onRest: (bytes) => {
      hash.update(bytes)
      devices.write(devicesBytes, bytes)
      devicesBytes += bytes.length
    }
  })
  for await (const chunk of stream) {
    splitter.write(chunk)
    await ram.room()
  }
  splitter.end()
  await Promise.all([ram.finish(memoryBytes), devices.finish(devicesBytes)])
  return { memoryBytes, devicesSha256: hash.digest('hex') }
}
