import type { Duplex } from 'node:stream'
import type { Event, Result } from '#contract'

/** The domain, as the faces see it. `openCore` in core/index.ts makes one. */
export interface Core {
  /** Identity of this library owner; a part of every event. */
  readonly owner: string
  /** Runs an operation. The input is checked here, whoever calls. */
  call(name: string, input: unknown): Promise<Result<unknown>>
  /** Opens a two-way byte stream (see contract/stream.ts). Its back pressure reaches the source. */
  openStream(name: string, input: unknown): Promise<Result<Duplex>>
  /** Everything that changes from now on. Answers the function that ends it. */
  onEvent(listener: (event: Event) => void): () => void
  /** Gives the library up. Machines run on. Tasks that run are waited for, at most `graceMs`. */
  close(graceMs?: number): Promise<void>
}
