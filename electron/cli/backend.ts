import type { Duplex } from 'node:stream'
import type { Event, Result } from '#contract'
import type { Attempt } from '../server/owner-client'
import type { Following } from '../server/owner-events'

/** What it takes to own a library. */
export interface OpeningOptions {
  version: string
  environment: NodeJS.ProcessEnv
  /** The folder of the built-in guest. */
  builtinGuest: string
}

/** The core, wherever it runs: in the process that owns the library, or here. */
export interface Backend {
  /** `here`: this process owns the library, and gives it up when the command ends. */
  readonly runs: 'here' | 'elsewhere'
  readonly pid: number
  readonly version: string
  attempt(name: string, input: unknown): Promise<Attempt>
  openStream(name: string, input: unknown): Promise<Result<Duplex>>
  follow(listener: (event: Event) => void): Promise<Following>
  close(): Promise<void>
}
