import { z } from 'zod'

/**
 * What can go wrong, as data. Every face (window, command line, HTTP) shows the same three things: what happened in
 * one plain sentence, what to do next, and the cause chain with QEMU's own words, folded.
 */
const common = {
  /** One plain sentence: what happened. Ends with a full stop. */
  message: z.string(),
  /** What the user can do about it, when there is something. */
  next: z.string().optional(),
  /** From the nearest cause to the first one; QEMU's and the system's own words, unchanged. */
  causes: z.array(z.string()).default([])
}

const variant = <C extends string, P extends z.ZodRawShape>(code: C, payload: P) =>
  z.object({ code: z.literal(code), ...common, ...payload })

export const AppError = z.discriminatedUnion('code', [
  /** The input does not fit the operation's schema, or contradicts itself. `field` is a path such as `forward.0`. */
  variant('bad-input', { field: z.string() }),
  variant('unknown-operation', { operation: z.string() }),
  variant('unauthorized', {}),
  variant('not-found', { what: z.string(), name: z.string() }),
  variant('already-exists', { what: z.string(), name: z.string() }),
  /** The operation is not possible in the state that the thing is in. */
  variant('wrong-state', { name: z.string(), state: z.string() }),
  /** Something else uses it: a lock, an image opened by another process. */
  variant('in-use', { what: z.string(), holder: z.string().optional() }),
  /** A program or package that is needed is not installed. `install` is the command that installs it. */
  variant('missing-program', { program: z.string(), install: z.string() }),
  /** This host, QEMU or machine cannot do it. */
  variant('unsupported', {}),
  /** QEMU answered a QMP command with an error of this class. */
  variant('qmp', { command: z.string(), errorClass: z.string() }),
  /** A connection (QMP, guest agent, owner) closed before the answer came. */
  variant('connection-lost', { peer: z.string() }),
  /** The other side sent what the protocol does not allow. */
  variant('protocol', { peer: z.string() }),
  variant('time-out', { waitedMs: z.number() }),
  variant('cancelled', {}),
  /** QEMU ended when it should not have. `log` holds the last lines of its log. */
  variant('qemu-exited', { exitCode: z.number().nullable(), signal: z.string().nullable(), log: z.array(z.string()) }),
  /** A helper program such as qemu-img failed. */
  variant('program-failed', { program: z.string(), exitCode: z.number().nullable() }),
  variant('no-agent', { name: z.string() }),
  variant('no-space', { path: z.string() }),
  /** A file could not be read or written; `errno` is the system's code, for example EACCES. */
  variant('file', { path: z.string(), errno: z.string() }),
  /** A file holds what it should not: damaged, or of a format that its name denies. */
  variant('bad-file', { path: z.string() }),
  /** Written by a newer version of Strata; left untouched. */
  variant('newer-version', { path: z.string() }),
  /** Another process owns the library folder. */
  variant('library-owned', { library: z.string(), pid: z.number().optional() }),
  /** A bug in Strata. */
  variant('internal', {})
])
export type AppError = z.output<typeof AppError>
export type ErrorCode = AppError['code']

/** An expected failure or its value. What crosses a face; inside the core expected failures are thrown, see `Failure`. */
export type Result<T> = { ok: true; value: T } | { ok: false; error: AppError }
