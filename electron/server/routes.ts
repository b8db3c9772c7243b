import type { IncomingMessage, ServerResponse } from 'node:http'
import { isOperationName, operations, toAppError, type AppError } from '#contract'
import type { Core } from '#core/core'
import { admit, urlOf, type Door } from './admission'
import { badInput, Refusal, sendError, sendJson, sendText } from './answer'
import { readBody } from './body'
import type { EventFeed } from './event-feed'
import { openApiDocument } from './openapi'
import { STREAM_PROTOCOL, type Owner } from './protocol'

export interface Service {
  core: Core
  version: string
  feed: EventFeed
  bodyBytes: number
  /** The owner is about to go: it still answers what changes nothing, and takes no new work. */
  retiring: boolean
}

/** Answers one request; every way it can go ends in an answer. */
export async function answer(service: Service, door: Door, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.on('error', () => response.destroy())
  try {
    admit(request, door)
    await route(service, request, response)
  } catch (thrown) {
    // What is left of the body is read and dropped by Node, so that the client sees the answer and not a reset.
    if (thrown instanceof Refusal) sendError(response, thrown.error, thrown.status, thrown.headers)
    else sendError(response, toAppError(thrown), 500)
  }
}

async function route(service: Service, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = urlOf(request)
  const name = /^\/v1\/([^/]+)$/.exec(pathname)?.[1]
  if (name === 'openapi.json' || name === 'events' || name === 'owner') {
    expectMethod(request, 'GET')
    if (name === 'events') return service.feed.add(response)
    if (name === 'openapi.json') return sendText(response, 200, openApiDocument(service.version))
    const owner: Owner = { owner: service.core.owner, version: service.version, pid: process.pid }
    return sendJson(response, 200, owner)
  }
  if (pathname.startsWith('/v1/streams/')) {
    throw new Refusal(badInput('Upgrade', `A stream needs “Connection: Upgrade” and “Upgrade: ${STREAM_PROTOCOL}”.`), 426, {
      Connection: 'Upgrade',
      Upgrade: STREAM_PROTOCOL
    })
  }
  if (name === undefined || !isOperationName(name)) throw unknown(name ?? pathname)
  expectMethod(request, 'POST')
  const { task, reads } = operations[name]
  const input = await readBody(request, service.bodyBytes)
  if (service.retiring && !reads) throw new Refusal(retiring(), 503, { 'Retry-After': '1' })
  const result = await service.core.call(name, input)
  if (!result.ok) throw new Refusal(result.error)
  sendJson(response, task ? 202 : 200, result.value)
}

function expectMethod(request: IncomingMessage, method: 'GET' | 'POST'): void {
  if (request.method === method) return
  throw new Refusal(badInput('method', `Use ${method} here, not ${request.method}.`), 405, { Allow: method })
}

const unknown = (operation: string): Refusal =>
  new Refusal({ code: 'unknown-operation', operation, message: `There is no operation “${operation}”.`, next: 'GET /v1/openapi.json describes all there are.', causes: [] })

const retiring = (): AppError => ({
  code: 'connection-lost',
  peer: 'owner',
  message: 'This Strata is about to end and takes no new work.',
  next: 'Try again in a moment.',
  causes: []
})
