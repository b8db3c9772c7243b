import { Failure } from '#contract/failure'
import type { Core } from '#core/core'
import type { OwnedCore } from '#core/index'
import type { Log } from './log'

/** How this window came by its core: it owns the library itself, or talks to the process that does. */
export interface Opened {
  core: Core
  role: 'owner' | 'client'
}

export interface OpenOptions {
  environment: NodeJS.ProcessEnv
  /** The folder of the built-in guest. */
  builtinGuest: string
  version: string
  log: Log
  /** Of a client: the owner has ended, this core is of no use any more. */
  onLost: (core: Core) => void
}

/**
 * Opens the library and serves it to `strata`; when another process such as `strata serve` owns it, becomes a client of that one:
 * one process owns, others talk to it. The modules are loaded here, not with the window: the page is loading meanwhile.
 * @throws library-owned when its owner does not talk, and whatever else keeps the library from being opened
 */
export async function openOrJoin(options: OpenOptions): Promise<Opened> {
  const { openCore } = await import('#core/index')
  const { environment, builtinGuest } = options
  try {
    return { core: served(await openCore({ environment, builtinGuest }), options), role: 'owner' }
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.error.code !== 'library-owned') throw thrown
    const { connectOwner } = await import('../server/client')
    return { core: await connectOwner(options.onLost, environment), role: 'client' }
  }
}

/** The API is there for others: the window does not wait for it, and goes on without it. */
function served(core: OwnedCore, { version, log }: OpenOptions): Core {
  const serving = import('../server/owned')
    .then(({ serveOwned }) => serveOwned(core, { version, onTcpError: (error) => log.warn(`the API is not on TCP: ${error.message}`) }))
    .catch((thrown: unknown) => {
      log.error('the API cannot be served: strata cannot talk to this window', thrown)
      return null
    })
  return {
    owner: core.owner,
    call: (name, input) => core.call(name, input),
    openStream: (name, input) => core.openStream(name, input),
    onEvent: (listener) => core.onEvent(listener),
    close: async (graceMs) => {
      const api = await serving
      await api?.retire()
      await core.close(graceMs)
      await api?.close()
    }
  }
}
