import { setTimeout as delay } from 'node:timers/promises'
import { failure } from '#contract'
import type { Core } from '#core/core'
import { locateLibrary } from '#core/library/library'
import { connectTo, type OwnerClient } from './owner-client'

/** The owner holds the lock a moment before its socket answers, and after it is gone. */
const PATIENCE_MS = 10_000
const RETRY_MS = 50

/**
 * The core of the process that owns the library, as if it were opened here. `close` only takes leave: the library stays with
 * its owner.
 * @param onLost the owner has ended; called once, and not after `close`
 * @throws library-owned when the process that holds the lock does not answer
 */
export async function connectOwner(onLost: (core: Core) => void, environment: NodeJS.ProcessEnv = process.env): Promise<Core> {
  const { paths, runtime } = await locateLibrary(environment)
  const client = await connectPatiently(runtime.ownerSocket, paths.root)
  let left = false
  const core: Core = {
    owner: client.owner,
    call: (name, input) => client.call(name, input),
    openStream: (name, input) => client.openStream(name, input),
    onEvent: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    close: () => {
      left = true
      return client.close()
    }
  }
  const listeners = new Set<Parameters<Core['onEvent']>[0]>()
  const following = await client.follow((event) => listeners.forEach((listener) => listener(event)))
  void following.ended.then(() => left || onLost(core))
  return core
}

async function connectPatiently(socketPath: string, library: string): Promise<OwnerClient> {
  const deadline = Date.now() + PATIENCE_MS
  let last: unknown = null
  do {
    try {
      const client = await connectTo(socketPath)
      if (client) return client
    } catch (error) {
      last = error
    }
    await delay(RETRY_MS)
  } while (Date.now() < deadline)
  throw failure('library-owned', `The library “${library}” is in use by another Strata process, which does not answer.`, {
    library,
    next: 'End that process, then try again. Machines run on.',
    cause: last
  })
}
