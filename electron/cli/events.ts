import type { Run } from './tasks'
import { onEndRequest } from './signals'

/**
 * Prints what changes, one JSON object a line, until it is ended. When the owner goes, the next one is followed: its events carry
 * another `owner`, which tells whoever reads them to read everything again.
 */
export async function runEvents({ session, terminal }: Run): Promise<number> {
  let leave = (_code: number): void => {}
  const left = new Promise<number>((resolve) => (leave = resolve))
  const release = onEndRequest(leave)
  try {
    for (;;) {
      const backend = await session.connected()
      const following = await backend.follow((event) => void terminal.out(JSON.stringify(event) + '\n')).catch(() => null)
      const code = following ? await Promise.race([following.ended, left]) : undefined
      following?.end()
      // Ended by Ctrl+C is how this ends.
      if (typeof code === 'number') return code === 130 ? 0 : code
      await session.drop(backend)
    }
  } finally {
    release()
  }
}
