import { Failure } from '#contract'
import type { Core } from '#core/core'

/** How this window came by its core: it owns the library itself, or talks to the process that does. */
export interface Opened {
  core: Core
  role: 'owner' | 'client'
}

/**
 * Opens the library; when another process such as `strata serve` owns it, becomes a client of that one: one process owns,
 * others talk to it. The modules are loaded here, not with the window: the page is loading meanwhile.
 * @param onLost of a client: its owner has ended
 */
export async function openOrJoin(onLost: (core: Core) => void): Promise<Opened> {
  const { openCore } = await import('#core/index')
  try {
    return { core: await openCore(), role: 'owner' }
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.error.code !== 'library-owned') throw thrown
    const { connectOwner } = await import('../server/client')
    return { core: await connectOwner(onLost), role: 'client' }
  }
}
