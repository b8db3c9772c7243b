import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { AppError, Event, Result } from '#contract'
import { followEvents, type Following } from './owner-events'
import { STREAM_PROTOCOL, type Owner } from './protocol'

/** An owner that is alive says who it is within this time. */
const GREETING_MS = 5000

/** What became of a call. */
export type Attempt =
  | { kind: 'answered'; result: Result<unknown> }
  /** It never reached an owner: it can be sent again, whatever it is. */
  | { kind: 'not-taken' }
  /** The connection was lost in between: it may have been carried out or not. */
  | { kind: 'lost'; error: AppError }

/** The core of another process, over its Unix socket. */
export interface OwnerClient extends Owner {
  attempt(name: string, input: unknown): Promise<Attempt>
  call(name: string, input: unknown): Promise<Result<unknown>>
  openStream(name: string, input: unknown): Promise<Result<Duplex>>
  /** Events from the moment the promise is fulfilled. */
  follow(listener: (event: Event) => void): Promise<Following>
  onEvent(listener: (event: Event) => void): () => void
  close(): Promise<void>
}

/**
 * Connects to the process that owns the library. Answers null when nobody is there: no socket, or one that a dead owner
 * left behind.
 * @throws an Error when somebody is there and does not answer as an owner does
 */
export async function connectTo(socketPath: string): Promise<OwnerClient | null> {
  // Kept alive: the call that follows the greeting comes over a connection that the owner has accepted already.
  const agent = new Agent({ keepAlive: true })
  const owner = await greet(socketPath, agent).catch((error: unknown) => {
    agent.destroy()
    if (isNobody(error)) return null
    throw error
  })
  return owner && makeClient(socketPath, agent, owner)
}

async function greet(socketPath: string, agent: Agent): Promise<Owner> {
  const response = await send({ socketPath, agent, method: 'GET', path: '/v1/owner', timeoutMs: GREETING_MS })
  const owner = JSON.parse(await readText(response)) as Partial<Owner>
  if (response.statusCode !== 200 || typeof owner.owner !== 'string') throw new Error(`unexpected answer with status ${response.statusCode}`)
  return { owner: owner.owner, version: String(owner.version), pid: Number(owner.pid) }
}

function makeClient(socketPath: string, agent: Agent, owner: Owner): OwnerClient {
  const followings = new Set<Following>()
  const client: OwnerClient = {
    ...owner,
    async attempt(name, input) {
      try {
        const response = await send({ socketPath, agent, method: 'POST', path: `/v1/${encodeURIComponent(name)}`, body: JSON.stringify(input ?? {}) })
        const result = readResult(response, await readText(response))
        return response.statusCode === 503 ? { kind: 'not-taken' } : { kind: 'answered', result }
      } catch (error) {
        return isNobody(error) ? { kind: 'not-taken' } : { kind: 'lost', error: lost(error) }
      }
    },
    async call(name, input) {
      const attempt = await client.attempt(name, input)
      if (attempt.kind === 'answered') return attempt.result
      return { ok: false, error: attempt.kind === 'lost' ? attempt.error : lost(null) }
    },
    openStream: (name, input) => openStream(socketPath, name, input),
    async follow(listener) {
      const following = await followEvents(socketPath, listener)
      followings.add(following)
      void following.ended.then(() => followings.delete(following))
      return following
    },
    onEvent(listener) {
      let wanted = true
      const following = client.follow((event) => wanted && listener(event))
      // Nobody to tell here: whoever has to know that the owner has gone calls `follow`, or sees its next call fail.
      following.then((begun) => wanted || begun.end(), () => {})
      return () => {
        wanted = false
        following.then((begun) => begun.end(), () => {})
      }
    },
    async close() {
      for (const following of followings) following.end()
      agent.destroy()
    }
  }
  return client
}

function openStream(socketPath: string, name: string, input: unknown): Promise<Result<Duplex>> {
  const path = `/v1/streams/${encodeURIComponent(name)}?input=${encodeURIComponent(JSON.stringify(input ?? {}))}`
  return new Promise((resolve) => {
    const request = httpRequest({ socketPath, path, agent: false, headers: { Connection: 'Upgrade', Upgrade: STREAM_PROTOCOL } })
    request.once('error', (error) => resolve({ ok: false, error: lost(error) }))
    request.once('response', (response) => {
      readText(response).then(
        (text) => resolve(readResult(response, text) as Result<Duplex>),
        (error: unknown) => resolve({ ok: false, error: lost(error) })
      )
    })
    request.once('upgrade', (_response, socket, head) => {
      if (head.length > 0) socket.unshift(head)
      resolve({ ok: true, value: socket })
    })
    request.end()
  })
}

/** Sends a request; answers when the response's head is there. */
function send(options: { socketPath: string; agent: Agent; method: string; path: string; body?: string; timeoutMs?: number }): Promise<IncomingMessage> {
  const { body, timeoutMs, ...rest } = options
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }
    const request = httpRequest({ ...rest, headers }, resolve)
    request.once('error', reject)
    if (timeoutMs !== undefined) request.setTimeout(timeoutMs, () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)))
    request.end(body)
  })
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function readResult(response: IncomingMessage, text: string): Result<unknown> {
  const status = response.statusCode ?? 0
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (error) {
    return { ok: false, error: protocolError(status, (error as Error).message) }
  }
  if (status === 200 || status === 202) return { ok: true, value: document }
  const error = document as Partial<AppError> | null
  if (typeof error?.code === 'string' && typeof error.message === 'string') return { ok: false, error: { causes: [], ...error } as AppError }
  return { ok: false, error: protocolError(status, text.slice(0, 200)) }
}

/** No owner, or one whose socket outlived it. */
const isNobody = (error: unknown): boolean => ['ENOENT', 'ECONNREFUSED'].includes((error as NodeJS.ErrnoException).code ?? '')

const protocolError = (status: number, words: string): AppError => ({
  code: 'protocol',
  peer: 'owner',
  message: 'The Strata that owns the library gave an answer that makes no sense.',
  causes: [`status ${status}`, words]
})

const lost = (error: unknown): AppError => ({
  code: 'connection-lost',
  peer: 'owner',
  message: 'The Strata that owns the library went away before it answered.',
  next: 'It may have done what it was asked. See how things are, then try again.',
  causes: error instanceof Error ? [error.message] : []
})
