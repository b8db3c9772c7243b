import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { scratchFolder } from './scratch'

export const GREETING = '{"QMP":{"version":{"qemu":{"micro":22,"minor":2,"major":7},"package":""},"capabilities":["oob"]}}\r\n'

/** The other end of a QMP connection, on a real socket: answers as the test says. */
export interface Peer {
  path: string
  /** Every connection so far. */
  sockets: Socket[]
}

/** @param answer what to send for a command line; it gets the socket, to misbehave with */
export async function listenAsQemu(answer: (message: { execute: string; id: number }, socket: Socket) => void, greeting: string | null = GREETING): Promise<Peer> {
  const path = join(scratchFolder(), 'qmp.sock')
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {}) // the client may hang up at any time
    if (greeting !== null) socket.write(greeting)
    let text = ''
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString()
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) {
        const message = JSON.parse(line) as { execute: string; id: number }
        if (message.execute === 'qmp_capabilities') socket.write(`{"return":{},"id":${message.id}}\r\n`)
        else answer(message, socket)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { path, sockets }
}

/** A generator of numbers below `limit` that gives the same ones for the same seed (mulberry32). */
export function seeded(seed: number): (limit: number) => number {
  let state = seed >>> 0
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % limit
  }
}
