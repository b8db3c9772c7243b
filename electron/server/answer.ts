import type { ServerResponse } from 'node:http'
import type { AppError, ErrorCode } from '#contract'

/** The HTTP status of each error. 499 is what proxies use for a request that was given up. */
export const STATUS_OF: Record<ErrorCode, number> = {
  'bad-input': 400,
  'unauthorized': 401,
  'unknown-operation': 404,
  'not-found': 404,
  'already-exists': 409,
  'in-use': 409,
  'wrong-state': 409,
  'library-owned': 409,
  'no-agent': 409,
  'bad-file': 422,
  'newer-version': 422,
  'cancelled': 499,
  'internal': 500,
  'file': 500,
  'program-failed': 500,
  'missing-program': 501,
  'unsupported': 501,
  'qmp': 502,
  'connection-lost': 502,
  'protocol': 502,
  'qemu-exited': 502,
  'time-out': 504,
  'no-space': 507
}

/** A request that is refused before it reaches the core, or an error with a status or headers of its own. */
export class Refusal extends Error {
  constructor(
    readonly error: AppError,
    readonly status: number = STATUS_OF[error.code],
    readonly headers: Record<string, string> = {}
  ) {
    super(error.message)
  }
}

export const badInput = (field: string, message: string, cause?: string): AppError => ({
  code: 'bad-input',
  field,
  message,
  causes: cause === undefined ? [] : [cause]
})

/** A client that stops reading its answer is cut off after this long. */
const STALLED_ANSWER_MS = 30_000

/** Sends a JSON document and ends the response. Does nothing when the client has gone. */
export function sendJson(response: ServerResponse, status: number, document: unknown, headers: Record<string, string> = {}): void {
  sendText(response, status, JSON.stringify(document ?? null), headers)
}

/** As `sendJson`, for a document that is text already. */
export function sendText(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  if (response.destroyed || response.headersSent) return
  const body = Buffer.from(text)
  const socket = response.socket
  const stalled = (): void => void socket?.destroy()
  socket?.setTimeout(STALLED_ANSWER_MS, stalled)
  response.once('finish', () => socket?.setTimeout(0, stalled)) // and takes the listener away: the connection may serve many
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...headers
  })
  response.end(body)
}

export function sendError(response: ServerResponse, error: AppError, status = STATUS_OF[error.code], headers: Record<string, string> = {}): void {
  sendJson(response, status, error, headers)
}
