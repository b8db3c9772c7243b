import { stat, chmod, rename, rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo, ListenOptions } from 'node:net'
import { failure } from '#contract'
import { fileFailure } from '#core/host/files'

/** `sun_path` has 108 bytes with its terminating zero (unix(7)). */
const LONGEST_SOCKET_PATH = 107

/**
 * Listens on a Unix socket that only this user can reach. What is at `path` is replaced in one step: the caller holds the
 * library's lock, so it is what a dead owner left. Answers how to take the name away again.
 * @throws file
 */
export async function listenOnSocket(server: Server, path: string): Promise<() => Promise<void>> {
  // Made under another name and renamed: nobody can connect before its mode is set, and there is no moment without a socket.
  const unfinished = `${path}.${process.pid}`
  if (Buffer.byteLength(unfinished) > LONGEST_SOCKET_PATH) {
    throw failure('file', `The path of the socket is too long: “${path}”.`, {
      path,
      errno: 'ENAMETOOLONG',
      next: 'Set XDG_RUNTIME_DIR to a folder with a shorter path.'
    })
  }
  try {
    await rm(unfinished, { force: true })
    await listening(server, { path: unfinished })
    await chmod(unfinished, 0o600)
    const { ino } = await stat(unfinished)
    await rename(unfinished, path)
    return () => removeIfOurs(path, ino)
  } catch (error) {
    server.close()
    throw fileFailure(error, path, 'listened on')
  }
}

/** Listens on loopback only. @returns the port @throws in-use, unsupported */
export async function listenOnLoopback(server: Server, port: number): Promise<number> {
  try {
    await listening(server, { host: '127.0.0.1', port })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      throw failure('in-use', `Port ${port} of 127.0.0.1 is in use by another program.`, {
        what: `port ${port}`,
        next: 'Choose another one: strata settings edit --api-port PORT',
        cause: error
      })
    }
    throw failure('unsupported', `The HTTP API cannot listen on 127.0.0.1:${port}.`, { cause: error })
  }
  return (server.address() as AddressInfo).port
}

function listening(server: Server, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(where, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** A later owner may have put its own socket there already. */
async function removeIfOurs(path: string, inode: number): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw fileFailure(error, path, 'read')
  })
  if (found?.ino === inode) await rm(path, { force: true })
}
