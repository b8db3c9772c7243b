import type { IncomingMessage, ServerResponse } from 'node:http'
import { Failure, isOperationName, operations, toAppError, type AppError, type OperationName } from '#contract'
import type { Core } from '#core/core'
import { admit, urlOf, type Door } from './admission'
import { badInput, Refusal, sendError, sendJson, sendText, STATUS_OF } from './answer'
import { readBody } from './body'
import type { EventFeed } from './event-feed'
import type { ControlPorts } from './control-ports'
import { openApiDocument } from './openapi'
import { STREAM_PROTOCOL, type Owner } from './protocol'
import { TWO_ENDPOINTS } from './two-endpoints'

export interface Service {
  core: Core
  version: string
  feed: EventFeed
  /** Null where the core is served alone. */
  control: ControlPorts | null
  bodyBytes: number
  /** The owner is about to go: it still answers what changes nothing, and takes no new work. */
  retiring: boolean
}

/** Answers one request; every way it can go ends in an answer. */
export async function answer(service: Service, door: Door, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.on('error', () => response.destroy())
  try {
    admit(request, door)
    await route(service, door, request, response)
  } catch (thrown) {
    // What is left of the body is read and dropped by Node, so that the client sees the answer and not a reset.
    if (thrown instanceof Refusal) sendError(response, thrown.error, thrown.status, thrown.headers)
    else {
      const error = toAppError(thrown)
      sendError(response, error, thrown instanceof Failure ? STATUS_OF[error.code] : 500)
    }
  }
}

async function route(service: Service, door: Door, request: IncomingMessage, response: ServerResponse): Promise<void> {
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
  if (Object.hasOwn(TWO_ENDPOINTS, pathname) && service.control) {
    expectMethod(request, 'POST')
    const given = await readBody(request, service.bodyBytes)
    if (service.retiring) throw new Refusal(retiring(), 503, { 'Retry-After': '1' })
    const two = { core: service.core, control: service.control }
    return sendJson(response, 200, await TWO_ENDPOINTS[pathname as keyof typeof TWO_ENDPOINTS](two, given))
  }
  if (name === undefined || !isOperationName(name)) throw unknown(name ?? pathname)
  expectMethod(request, 'POST')
  const { task, reads } = operations[name]
  const input = withMachine(name, door, await readBody(request, service.bodyBytes))
  if (service.retiring && !reads) throw new Refusal(retiring(), 503, { 'Retry-After': '1' })
  const result = await service.core.call(name, input)
  if (!result.ok) throw new Refusal(result.error)
  sendJson(response, task ? 202 : 200, result.value)
}

/** On its control port a machine need not be named. */
function withMachine(name: OperationName, door: Door, input: object): object {
  const machine = door.kind === 'tcp' ? door.machine : undefined
  return machine === undefined || 'machine' in input || !('machine' in operations[name].input.shape) ? input : { ...input, machine }
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
