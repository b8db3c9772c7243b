import type { Duplex } from 'node:stream'
import type { AppError, Event, Result } from '#contract'
import { connectTo } from '../server/owner-client'
import type { Following } from '../server/owner-events'
import type { Backend, OpeningOptions } from './backend'
import { findPlace } from './place'

/** An owner holds the lock a moment before its socket answers, and after it is gone. */
const PATIENCE_MS = 15_000
const RETRY_MS = 40
/** What changes nothing is asked again of a new owner, so often. */
const REPEATS = 3

/** The library cannot be reached. */
export class NoConnection extends Error {
  constructor(readonly error: AppError) {
    super(error.message)
  }
}

export interface SessionOptions extends OpeningOptions {
  /** The command is done, and waits for tasks with these titles, and for what else others have begun here. */
  onWaiting(titles: string[]): void
  /** The owner is another version of Strata. */
  onOtherVersion(version: string): void
}

/**
 * The one way in which commands reach the core: through the process that owns the library if there is one, else by owning it
 * until the command ends. Owners may come and go meanwhile.
 */
export class Session {
  private backend: Promise<Backend> | null = null

  constructor(private readonly options: SessionOptions) {}

  /** @throws NoConnection */
  connected(): Promise<Backend> {
    this.backend ??= this.connect().catch((error: unknown) => {
      this.backend = null
      throw error
    })
    return this.backend
  }

  /** Whether an owner answers right now. Opens nothing: for what has to be quick, as completion. */
  async joined(): Promise<boolean> {
    const client = await this.join().catch(() => null)
    if (client) this.backend = Promise.resolve(client)
    return client !== null
  }

  /**
   * Runs an operation. What has not reached an owner is sent to the next one; what may have is sent again only if it changes
   * nothing.
   */
  async call(name: string, input: unknown, reads: boolean): Promise<Result<unknown>> {
    for (let lost = 0; ; ) {
      const backend = await this.connected()
      const attempt = await backend.attempt(name, input)
      if (attempt.kind === 'answered') return attempt.result
      await this.drop(backend)
      if (attempt.kind === 'not-taken') continue
      lost += 1
      if (!reads || lost >= REPEATS) return { ok: false, error: attempt.error }
    }
  }

  async openStream(name: string, input: unknown): Promise<Result<Duplex>> {
    const backend = await this.connected()
    const opened = await backend.openStream(name, input)
    if (!opened.ok && opened.error.code === 'connection-lost' && opened.error.peer === 'owner') {
      await this.drop(backend)
      return (await this.connected()).openStream(name, input)
    }
    return opened
  }

  async follow(listener: (event: Event) => void): Promise<Following> {
    return (await this.connected()).follow(listener)
  }

  /** Forgets an owner that is gone; the next call looks for another. */
  async drop(backend: Backend): Promise<void> {
    if (backend.runs === 'here') return
    if ((await this.backend) === backend) this.backend = null
    await backend.close()
  }

  async close(): Promise<void> {
    const backend = this.backend
    this.backend = null
    await (await backend?.catch(() => null))?.close()
  }

  private async connect(): Promise<Backend> {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const joined = await this.join()
      if (joined) return joined
      const { openHere } = await import('./local')
      try {
        return await openHere(this.options, (titles) => this.options.onWaiting(titles))
      } catch (thrown) {
        const error = errorOf(thrown)
        if (error.code !== 'library-owned' || Date.now() > deadline) throw new NoConnection(error)
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }

  private async join(): Promise<Backend | null> {
    const { library, ownerSocket } = findPlace(this.options.environment)
    try {
      const client = await connectTo(ownerSocket)
      if (!client) return null
      if (client.version !== this.options.version) this.options.onOtherVersion(client.version)
      return { ...client, runs: 'elsewhere' }
    } catch (thrown) {
      // It may have died in this moment: then the next attempt finds nobody there.
      if ((thrown as NodeJS.ErrnoException).code === 'ECONNRESET') return null
      throw new NoConnection({
        code: 'library-owned',
        library,
        message: `The Strata that owns the library “${library}” does not answer.`,
        next: 'End that process, then try again. Machines run on.',
        causes: [String((thrown as Error).message)]
      })
    }
  }
}

/** The `AppError` in a `Failure`. That class is not imported here: it would bring the schema library with it. */
function errorOf(thrown: unknown): AppError {
  if (thrown instanceof Error && thrown.name === 'Failure' && 'error' in thrown) return thrown.error as AppError
  throw thrown
}
