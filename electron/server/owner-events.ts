import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { Event } from '#contract'

export interface Following {
  /** Fulfilled when the events have ended, whoever ended them. */
  readonly ended: Promise<void>
  end(): void
}

/** A silent owner sends a heartbeat every 15 s; one that does not is gone. */
const SILENCE_MS = 45_000

/** Reads the owner's server-sent events. Fulfilled once it listens: what happens after that is not missed. */
export function followEvents(socketPath: string, listener: (event: Event) => void): Promise<Following> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath, path: '/v1/events', agent: false, headers: { Accept: 'text/event-stream' } })
    request.once('error', reject)
    request.setTimeout(SILENCE_MS, () => request.destroy())
    request.once('response', (response) => {
      if (response.statusCode !== 200) {
        request.destroy()
        return reject(new Error(`events: status ${response.statusCode}`))
      }
      const ended = readEvents(response, listener)
      resolve({ ended, end: () => void request.destroy() })
    })
    request.end()
  })
}

/** Frames end at an empty line; only `data` matters here, the event carries everything itself. */
function readEvents(response: IncomingMessage, listener: (event: Event) => void): Promise<void> {
  let rest = ''
  response.setEncoding('utf8')
  response.on('data', (text: string) => {
    const frames = (rest + text).split('\n\n')
    rest = frames.pop() ?? ''
    for (const frame of frames) {
      const data = frame.split('\n').filter((line) => line.startsWith('data: ')).map((line) => line.slice(6))
      if (data.length > 0) listener(JSON.parse(data.join('\n')) as Event)
    }
  })
  response.on('error', () => response.destroy())
  return new Promise((resolve) => response.once('close', () => resolve()))
}
