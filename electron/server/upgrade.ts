import { ServerResponse, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { toAppError, type AppError } from '#contract'
import type { Core } from '#core/core'
import { admit, urlOf, type Door } from './admission'
import { badInput, Refusal, sendError, STATUS_OF } from './answer'
import { STREAM_PROTOCOL } from './protocol'

/**
 * Turns a connection into a byte stream: `GET /v1/streams/<name>?input=<JSON>` with `Upgrade: strata-stream`. After the 101
 * come the stream's bytes both ways, as they are. The end of the connection is the end of the stream. Anything that
 * does not work is answered as an ordinary HTTP error.
 */
export async function openUpgrade(core: Core, door: Door, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  socket.on('error', () => socket.destroy())
  let stream: Duplex
  try {
    admit(request, door)
    const { name, input } = wanted(request)
    const opened = await core.openStream(name, input)
    if (!opened.ok) throw new Refusal(opened.error)
    stream = opened.value
  } catch (thrown) {
    if (thrown instanceof Refusal) refuse(request, socket, thrown.error, thrown.status, thrown.headers)
    else refuse(request, socket, toAppError(thrown), 500, {})
    return
  }
  if (socket.destroyed) return void stream.destroy()
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${STREAM_PROTOCOL}\r\n\r\n`)
  if (head.length > 0) socket.unshift(head)
  join(socket, stream)
}

function wanted(request: IncomingMessage): { name: string; input: unknown } {
  const url = urlOf(request)
  const name = /^\/v1\/streams\/([^/]+)$/.exec(url.pathname)?.[1]
  if (name === undefined) throw new Refusal({ code: 'unknown-operation', operation: url.pathname, message: `There is no stream at “${url.pathname}”.`, causes: [] })
  if (request.headers.upgrade?.toLowerCase() !== STREAM_PROTOCOL) {
    throw new Refusal(badInput('Upgrade', `Ask for “Upgrade: ${STREAM_PROTOCOL}”.`), 426, { Upgrade: STREAM_PROTOCOL })
  }
  if (request.method !== 'GET') throw new Refusal(badInput('method', 'A stream is opened with GET.'), 405, { Allow: 'GET' })
  try {
    return { name, input: JSON.parse(url.searchParams.get('input') ?? '{}') as unknown }
  } catch (error) {
    throw new Refusal(badInput('input', 'The query’s “input” is not JSON.', (error as Error).message))
  }
}

/** Joins the two ends until either goes; pipes carry the back pressure. */
function join(socket: Duplex, stream: Duplex): void {
  stream.on('error', () => socket.destroy())
  stream.once('close', () => (stream.readableEnded ? undefined : socket.destroy()))
  socket.once('close', () => stream.destroy())
  // A client that has ended wants nothing more: what it sent last is still delivered.
  stream.once('finish', () => stream.destroy())
  socket.once('finish', () => socket.destroy())
  socket.pipe(stream)
  stream.pipe(socket)
}

function refuse(request: IncomingMessage, socket: Duplex, error: AppError, status: number = STATUS_OF[error.code], headers: Record<string, string>): void {
  const response = new ServerResponse(request)
  // What Node's server does for requests that are not upgrades. An upgraded connection is a net.Socket, typed as its base.
  response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0])
  response.once('finish', () => socket.end())
  sendError(response, error, status, { ...headers, Connection: 'close' })
}
