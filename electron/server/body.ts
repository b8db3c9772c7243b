import type { IncomingMessage } from 'node:http'
import { badInput, Refusal } from './answer'

/** So much of a body that is too large is read and thrown away, so that the client gets its answer instead of a reset. */
const DISCARDED_BYTES = 16 * 2 ** 20

/**
 * Reads a request's body as JSON; no body counts as `{}`.
 * @throws Refusal 413 over the limit, 400 when it is not JSON or not an object
 */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<object> {
  const announced = Number(request.headers['content-length'] ?? 0)
  // Whoever asks before sending is told at once; anything else would wait for a body that never comes.
  if (announced > limitBytes && request.headers.expect) throw tooLarge(limitBytes)
  const text = (await readBytes(request, limitBytes)).toString('utf8')
  if (text.trim() === '') return {}
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (error) {
    throw new Refusal(badInput('body', 'The body is not JSON.', String((error as Error).message)))
  }
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body
  throw new Refusal(badInput('body', 'The body has to be a JSON object: the fields of the operation’s input.'))
}

function readBytes(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= limitBytes) chunks.push(chunk)
      else chunks = []
      if (size > limitBytes + DISCARDED_BYTES) {
        request.pause()
        reject(tooLarge(limitBytes))
      }
    })
    request.once('end', () => (size > limitBytes ? reject(tooLarge(limitBytes)) : resolve(Buffer.concat(chunks))))
    request.once('error', () => reject(goneAway()))
    request.once('close', () => reject(goneAway()))
  })
}

const tooLarge = (limitBytes: number): Refusal =>
  new Refusal(badInput('body', `The body is larger than ${limitBytes} bytes.`), 413, { Connection: 'close' })
const goneAway = (): Refusal => new Refusal({ code: 'connection-lost', peer: 'client', message: 'The client left before its request was complete.', causes: [] })
