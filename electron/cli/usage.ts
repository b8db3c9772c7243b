import type { AppError } from '#contract'

/** The command was typed wrongly. Ends with exit code 2. */
export class UsageError extends Error {
  constructor(readonly error: AppError) {
    super(error.message)
  }
}

export const badUsage = (field: string, message: string, next?: string): UsageError =>
  new UsageError({ code: 'bad-input', field, message, causes: [], ...(next === undefined ? {} : { next }) })

export const unknownCommand = (typed: string, message: string, next?: string): UsageError =>
  new UsageError({ code: 'unknown-operation', operation: typed, message, causes: [], ...(next === undefined ? {} : { next }) })
