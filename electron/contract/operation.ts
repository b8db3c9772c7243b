import type { z } from 'zod'

/**
 * One operation of Strata. Declared once, here; window IPC, the `strata` command line and the HTTP API with its OpenAPI
 * document are derived from it.
 */
export interface Operation<I extends z.ZodObject = z.ZodObject, R extends z.ZodType = z.ZodType, T extends boolean = boolean> {
  /** One line, no full stop: what it does. */
  readonly help: string
  readonly input: I
  /** What it answers. Of a task, what the task holds as `result` when it is done. */
  readonly result: R
  /** May take over half a second: the call answers `{ taskId }` at once, the result comes with the task. */
  readonly task: T
  /** Changes nothing, so it may be repeated and run beside anything. */
  readonly reads: boolean
  /** Command line: input fields taken by position, in this order. A last one that is an array takes all that is left. */
  readonly positional: readonly string[]
  /** Command line: a shorter name, for example `monitor` for `monitor.run`. */
  readonly shorthand?: string
}

export function operation<I extends z.ZodObject, R extends z.ZodType, const T extends boolean = false>(declared: {
  help: string
  input: I
  result: R
  task?: T
  reads?: boolean
  positional?: readonly (keyof z.input<I> & string)[]
  shorthand?: string
}): Operation<I, R, T> {
  // A field that nobody knows is a mistake, and is told, not dropped.
  return { task: false as T, reads: false, positional: [], ...declared, input: declared.input.strict() as unknown as I }
}
