import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { failure } from '#contract'
import { cancelled } from '../task/work'
import { exists } from './files'

/** Longest path of a Unix socket, in bytes (sockaddr_un holds 108 with its final zero). */
export const SOCKET_PATH_BYTES = 107
const RETRY_MS = 5

/** Throws when a Unix socket cannot have this path. */
export function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path)
  if (bytes <= SOCKET_PATH_BYTES) return
  throw failure('unsupported', `The socket path “${path}” is ${bytes} bytes long; the system allows ${SOCKET_PATH_BYTES}.`, {
    next: 'Set XDG_RUNTIME_DIR to a folder with a shorter name.'
  })
}

/** Connects to a Unix socket. The caller destroys it. @throws connection-lost, with the system's words as cause */
export function connectUnix(path: string): Promise<Socket> {
  checkSocketPath(path)
  return new Promise((resolve, reject) => {
    const socket = connect({ path })
    const failed = (error: Error): void => {
      socket.destroy()
      reject(failure('connection-lost', `Nobody answers at “${path}”.`, { peer: path, cause: error }))
    }
    socket.once('error', failed)
    socket.once('connect', () => {
      socket.off('error', failed)
      resolve(socket)
    })
  })
}

export interface WaitOptions {
  signal: AbortSignal
  timeoutMs: number
}

/** Connects to a Unix socket as soon as somebody listens there. @throws time-out, cancelled (also when the signal aborts) */
export async function waitForSocket(path: string, { signal, timeoutMs }: WaitOptions): Promise<Socket> {
  const deadlineMs = Date.now() + timeoutMs
  for (;;) {
    if (signal.aborted) throw cancelled()
    try {
      return await connectUnix(path)
    } catch (error) {
      if (Date.now() >= deadlineMs) throw failure('time-out', `Nobody listens at “${path}”.`, { waitedMs: timeoutMs, cause: error })
    }
    await delay(RETRY_MS)
  }
}

/** Waits until a file is there. @throws time-out, cancelled */
export async function waitForFile(path: string, { signal, timeoutMs }: WaitOptions): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs
  while (!(await exists(path))) {
    if (signal.aborted) throw cancelled()
    if (Date.now() >= deadlineMs) throw failure('time-out', `“${path}” did not appear.`, { waitedMs: timeoutMs })
    await delay(RETRY_MS)
  }
}
