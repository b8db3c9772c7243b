import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { GuestAgent } from '#core/machine/agent'
import type { PortWatch } from '#core/qmp/agent-link'
import { scratchFolder } from './scratch'

export interface Question {
  execute: string
  arguments?: Record<string, unknown>
}
/** What a question is answered with; null: not at all; undefined: as `listenAsAgent` says. */
export type Answers = (question: Question, socket: Socket) => unknown

export interface AgentPeer {
  agent: GuestAgent
  /** Every command that came, in order, without those that synchronise. */
  asked: string[]
  sockets: Socket[]
}

export const ok = (value: unknown): object => ({ return: value })
export const refused = (desc: string): object => ({ error: { class: 'GenericError', desc } })

/** A guest agent on a real socket. It synchronises as qemu-ga does, complaint about the sentinel included, unless `answers` does. */
export async function listenAsAgent(answers: Answers, port?: PortWatch): Promise<AgentPeer> {
  const path = join(scratchFolder(), 'agent.sock')
  const peer: Omit<AgentPeer, 'agent'> = { asked: [], sockets: [] }
  const server = createServer((socket) => {
    peer.sockets.push(socket)
    socket.on('error', () => {}) // the client may hang up at any time
    let text = ''
    socket.on('data', (bytes: Buffer) => {
      const lines = (text + bytes.toString('latin1')).split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) answer(JSON.parse(Buffer.from(line.replaceAll('\xff', ''), 'latin1').toString()) as Question, socket)
    })
  })
  const answer = (question: Question, socket: Socket): void => {
    if (question.execute !== 'guest-sync-delimited') peer.asked.push(question.execute)
    const given = answers(question, socket)
    if (given === null) return
    if (given !== undefined) socket.write(JSON.stringify(given) + '\n')
    else if (question.execute === 'guest-sync-delimited') socket.write(synchronised(question))
  }
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const agent = new GuestAgent(path, 'lab1', port)
  onTestFinished(() => {
    agent.close()
    for (const socket of peer.sockets) socket.destroy()
    server.close()
  })
  return { ...peer, agent }
}

const COMPLAINT = '{"error": {"class": "GenericError", "desc": "JSON parse error, stray \'\\uFFFD\'"}}\n'

/** The answer to guest-sync-delimited, or to another number. */
export function synchronised(question: Question, id: unknown = question.arguments?.id): Buffer {
  return Buffer.concat([Buffer.from(COMPLAINT), Buffer.of(0xff), Buffer.from(JSON.stringify({ return: id }) + '\n')])
}

/** A port whose openings and closings the test tells. */
export function portByHand(): { watch: PortWatch; say: (open: boolean) => void } {
  let listener: (open: boolean) => void = () => {}
  return {
    watch: (given) => {
      listener = given
      return () => (listener = () => {})
    },
    say: (open) => listener(open)
  }
}
