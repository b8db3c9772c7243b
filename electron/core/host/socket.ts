import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { failure, Failure } from '#contract'
import { cancelled } from '../task/work'
import { exists, removeFile } from './files'

/** Longest path of a Unix socket, in bytes (sockaddr_un holds 108 with its final zero). */
export const SOCKET_PATH_BYTES = 107
const RETRY_MS = 2
/** Connecting to a Unix socket takes microseconds, unless its owner hangs and its queue of callers is full. */
const CONNECT_TIMEOUT_MS = 5_000

export interface ConnectOptions {
  signal?: AbortSignal | undefined
  /** By default 5 s. */
  timeoutMs?: number | undefined
}

export interface WaitOptions {
  signal: AbortSignal
  timeoutMs: number
}

/** Throws when a Unix socket cannot have this path. @throws unsupported */
export function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path)
  if (bytes <= SOCKET_PATH_BYTES) return
  throw failure('unsupported', `The socket path “${path}” is ${bytes} bytes long; the system allows ${SOCKET_PATH_BYTES}.`, {
    next: 'Set XDG_RUNTIME_DIR to a folder with a shorter name.'
  })
}

/**
 * Connects to a Unix socket. The caller destroys it. An error of the open socket is told by its `close`, which always
 * follows; whoever wants the reason listens for `error` as well.
 * @throws connection-lost (nobody listens there), file (not allowed), unsupported (the path is too long), time-out, cancelled
 */
export async function connectUnix(path: string, { signal, timeoutMs = CONNECT_TIMEOUT_MS }: ConnectOptions = {}): Promise<Socket> {
  checkSocketPath(path)
  if (signal?.aborted) throw cancelled()
  const socket = connect({ path })
  try {
    await connected(socket, path, signal, timeoutMs)
  } catch (error) {
    socket.destroy()
    throw error
  }
  return socket
}

function connected(socket: Socket, path: string, signal: AbortSignal | undefined, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(tooLate(path, timeoutMs)), timeoutMs)
    const abort = (): void => settle(cancelled())
    const settle = (error?: Error): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      if (error) reject(error)
      else resolve()
    }
    signal?.addEventListener('abort', abort, { once: true })
    socket.on('error', (error: NodeJS.ErrnoException) => settle(notConnected(path, error))) // stays: an unheard error ends the program
    socket.once('connect', () => settle())
  })
}

const tooLate = (path: string, waitedMs: number, cause?: unknown): Failure => failure('time-out', `Nobody answers at “${path}”.`, { waitedMs, cause })

function notConnected(path: string, cause: NodeJS.ErrnoException): Failure {
  // ENOENT: no socket yet; ECONNREFUSED: one that nobody listens on (any more); ECONNRESET: who listened ended before
  // it answered; EAGAIN: its queue of callers is full.
  if (['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EAGAIN', 'ENOTSOCK'].includes(cause.code ?? '')) {
    return failure('connection-lost', `Nobody answers at “${path}”.`, { peer: path, cause })
  }
  return failure('file', `The socket “${path}” cannot be used.`, { path, errno: cause.code ?? 'EIO', cause })
}

/**
 * Connects to a Unix socket as soon as somebody listens there.
 * @param signal aborted when it is no longer worth waiting: cancelled, or the process that should listen has ended
 * @throws time-out, cancelled (also when the signal aborts), file, unsupported
 */
export async function waitForSocket(path: string, { signal, timeoutMs }: WaitOptions): Promise<Socket> {
  const deadlineMs = performance.now() + timeoutMs
  for (;;) {
    const leftMs = Math.max(1, deadlineMs - performance.now())
    try {
      return await connectUnix(path, { signal, timeoutMs: leftMs })
    } catch (error) {
      if (!(error instanceof Failure && error.error.code === 'connection-lost')) throw error
      if (performance.now() + RETRY_MS >= deadlineMs) throw tooLate(path, timeoutMs, error)
    }
    await pause(signal)
  }
}

/**
 * Listens at a path for one caller. What lay there before goes.
 * @returns the caller, once there is one, and how to end the listening, which the one who asks has to do
 * @throws unsupported, file
 */
export async function listenForOne(path: string): Promise<{ caller: Promise<Socket>; close: () => Promise<void> }> {
  checkSocketPath(path)
  await removeFile(path)
  const server = createServer({ pauseOnConnect: true })
  const caller = new Promise<Socket>((resolve) => server.once('connection', resolve))
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(failure('file', `The socket “${path}” cannot be made.`, { path, errno: error.code ?? 'EIO', cause: error })))
    server.listen({ path }, resolve)
  })
  const close = async (): Promise<void> => {
    server.close()
    await removeFile(path)
  }
  return { caller, close }
}

/** Waits until a file is there. @throws time-out, cancelled */
export async function waitForFile(path: string, { signal, timeoutMs }: WaitOptions): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs
  while (!(await exists(path))) {
    if (performance.now() + RETRY_MS >= deadlineMs) throw failure('time-out', `“${path}” did not appear.`, { waitedMs: timeoutMs })
    await pause(signal)
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  try {
    await delay(RETRY_MS, undefined, { signal })
  } catch {
    throw cancelled() // the only way a delay fails
  }
}
