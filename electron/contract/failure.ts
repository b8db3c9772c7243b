import type { AppError, ErrorCode } from './error'

type PayloadOf<C extends ErrorCode> = Omit<Extract<AppError, { code: C }>, 'code' | 'message' | 'next' | 'causes'>

/**
 * An expected failure on its way up the core. Thrown so that undo steps run on the way (`Undo` in core/task); turned into
 * a `Result` where the core ends. Any other exception is a bug and becomes `internal`.
 */
export class Failure extends Error {
  constructor(readonly error: AppError) {
    super(error.message)
    this.name = 'Failure'
  }
}

/**
 * Makes a `Failure`.
 * @param message one plain sentence, ends with a full stop
 * @param payload the fields of this code, and optionally `next` and `cause` (any thrown value, or QEMU's own words)
 */
export function failure<C extends ErrorCode>(
  code: C,
  message: string,
  payload: PayloadOf<C> & { next?: string; cause?: unknown }
): Failure {
  const { next, cause, ...rest } = payload
  return new Failure({ code, message, ...(next === undefined ? {} : { next }), causes: causesOf(cause), ...rest } as unknown as AppError)
}

/** The words of a thrown value and of everything that caused it, nearest first. */
export function causesOf(cause: unknown): string[] {
  if (cause === undefined || cause === null) return []
  if (typeof cause === 'string') return [cause]
  if (Array.isArray(cause)) return cause.flatMap(causesOf)
  if (cause instanceof Failure) return [cause.error.message, ...cause.error.causes]
  if (cause instanceof Error) return [cause.message, ...causesOf(cause.cause)]
  return [typeof cause === 'object' || typeof cause === 'function' ? JSON.stringify(cause) : `${cause as string | number | boolean | bigint}`]
}

/** Any thrown value as an `AppError`: a `Failure` keeps its own, anything else is a bug. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof Failure) return thrown.error
  return {
    code: 'internal',
    message: 'Strata made a mistake: ' + (thrown instanceof Error ? thrown.message : String(thrown)) + '.',
    next: 'Please report it with the details below.',
    causes: thrown instanceof Error ? [thrown.stack ?? thrown.message, ...causesOf(thrown.cause)] : []
  }
}

/** For the `default` of a switch over a union: a compile error where a case is missing. */
export function assertNever(value: never): never {
  throw new Error('unexpected value: ' + JSON.stringify(value))
}
