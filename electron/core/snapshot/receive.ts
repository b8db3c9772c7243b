import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { failure, Failure } from '#contract'
import { fileFailure } from '../host/file-failure'
import { readBytes } from '../host/files'
import { nativeFile } from '../host/native-files'
import { run } from '../host/process'
import { checkSocketPath } from '../host/socket'

/** QEMU's name of guest memory: the id of its memory backend. */
const MEMORY_BLOCK = 'mem'
const EXIT_FILE = 1
const EXIT_STREAM = 3
/** A program that cannot write says so at once, when QEMU may have noticed already. */
const TROUBLE_MS = 500

/** Files to make: flat memory, and the rest of the stream. */
export interface StreamFiles {
  ram: string
  devices: string
}

export interface Received {
  memoryBytes: number
  devicesSha256: string
}

/** Somebody waits for a migration stream. */
export interface Receiver {
  /** Rejects when it takes no more of it. @throws no-space, file, protocol (it broke off, or is none), cancelled */
  readonly broken: Promise<never>
  /** Fulfilled when all of it is on disk: to be called when QEMU has sent it, and the guest need not wait for that. @throws as `broken` */
  finish(): Promise<Received>
  /** Why it takes no more, if that is what made QEMU fail: a file that cannot be written. To be asked when QEMU sends no more. */
  trouble(): Promise<Failure | null>
  /** Takes no more of it; the files are left to the caller. */
  abandon(): Promise<void>
}

/**
 * Listens at a Unix socket for QEMU, and takes its stream apart into two files as it comes. That is done by a program of its own
 * (native/snapshot), as fast as QEMU sends; it ends with this process.
 * @throws unsupported when it was not built
 */
export async function receive(socket: string, files: StreamFiles): Promise<Receiver> {
  checkSocketPath(socket)
  const stop = new AbortController()
  let listening: () => void
  let atEnd: (rest: string) => void
  const ready = new Promise<void>((resolve) => (listening = resolve))
  const program = run(nativeFile('receive'), [socket, files.ram, files.devices, MEMORY_BLOCK], {
    signal: stop.signal,
    acceptExitCodes: [EXIT_FILE, EXIT_STREAM],
    input: new Promise<string>((resolve) => (atEnd = resolve)),
    onStdout: (text) => {
      if (text.startsWith('ready')) listening()
    }
  })
  const done = program.then(async ({ exitCode, stdout, stderr }): Promise<Received> => {
    if (exitCode !== 0) throw explained(exitCode, stderr.trim(), files)
    return { memoryBytes: Number(/^memory (\d+)$/m.exec(stdout)![1]), devicesSha256: createHash('sha256').update(await readBytes(files.devices)).digest('hex') }
  })
  const broken = done.then(() => new Promise<never>(() => {}))
  broken.catch(() => {}) // told by whoever waits for it
  await Promise.race([ready, done])
  const finish = (): Promise<Received> => {
    atEnd('')
    return done
  }
  const trouble = async (): Promise<Failure | null> => {
    const error: unknown = await Promise.race([done.then(() => null, (reason: unknown) => reason), delay(TROUBLE_MS, null)])
    return error instanceof Failure && (error.error.code === 'no-space' || error.error.code === 'file') ? error : null
  }
  const abandon = async (): Promise<void> => {
    stop.abort()
    await done.catch(() => {}) // why is told by whoever abandons it
  }
  return { broken, finish, trouble, abandon }
}

/** @param words `receive: the stream: WHY`, or `receive: FILE: WHY (ERRNO)` */
function explained(exitCode: number, words: string, { ram, devices }: StreamFiles): Failure {
  if (exitCode === EXIT_STREAM) return failure('protocol', `QEMU’s migration stream cannot be read: ${words.slice(words.lastIndexOf(': ') + 2)}.`, { peer: 'QEMU' })
  const code = /\((E[A-Z0-9]+)\)$/.exec(words)?.[1]
  return fileFailure(Object.assign(new Error(words), { code }), words.includes(devices) ? devices : ram, 'written')
}
