import type { IncomingMessage } from 'node:http'
import type { AppError } from '#contract'
import { badInput, Refusal } from './answer'
import { carriesToken } from './token'

/** Where a request came in. The Unix socket is guarded by its file's mode; loopback TCP is open to every local program. `machine`: its control port. */
export type Door = { kind: 'unix' } | { kind: 'tcp'; token: string; machine?: string }

const LOOPBACK_HOST = /^(127\.0\.0\.1|localhost)(:\d{1,5})?$/i

/**
 * Whether a request may come in at all.
 * - `Origin` is what browsers send for pages: no page has any business here.
 * - A `Host` other than loopback is a page that had its name point to us (DNS rebinding).
 * @throws Refusal 403 or 401
 */
export function admit(request: IncomingMessage, door: Door): void {
  if (request.headers.origin !== undefined) throw new Refusal(unauthorized('Requests from web pages are refused.'), 403)
  if (door.kind === 'unix') return
  if (!LOOPBACK_HOST.test(request.headers.host ?? '')) {
    throw new Refusal(unauthorized('The Host header has to name 127.0.0.1 or localhost.'), 403)
  }
  if (!carriesToken(request.headers.authorization, door.token)) {
    const message = request.headers.authorization === undefined ? 'A token is needed.' : 'The token is wrong.'
    const next = 'Send “Authorization: Bearer TOKEN”; “strata api show” names the file that holds it.'
    throw new Refusal({ ...unauthorized(message), next }, 401, { 'WWW-Authenticate': 'Bearer' })
  }
}

const unauthorized = (message: string): AppError => ({ code: 'unauthorized', message, causes: [] })

/** What a request asks for. @throws Refusal 400 for a target that is no path */
export function urlOf(request: IncomingMessage): URL {
  const target = request.url ?? ''
  // Not resolved against a base: `//host/path` is a path here, never another host.
  if (target.startsWith('/') && URL.canParse('http://localhost' + target)) return new URL('http://localhost' + target)
  throw new Refusal(badInput('path', 'The request has to name a path.'))
}
