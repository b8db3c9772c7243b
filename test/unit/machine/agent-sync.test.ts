import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { GuestAgent } from '../../../electron/core/machine/agent'
import { scratchFolder } from '../../support/scratch'

/** An agent that answers as qemu-ga does, in pieces of the test's choosing. */
async function agentThat(answer: (message: { execute: string; arguments: { id: number } }, socket: Socket) => void): Promise<GuestAgent> {
  const path = join(scratchFolder(), 'agent.sock')
  const server = createServer((socket) => {
    socket.on('data', (bytes) => {
      for (const line of bytes.toString('latin1').replaceAll('\xff', '').split('\n').filter(Boolean)) answer(JSON.parse(line) as { execute: string; arguments: { id: number } }, socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  onTestFinished(() => void server.close())
  const agent = new GuestAgent(path, 'lab1')
  onTestFinished(() => agent.close())
  return agent
}

test('what an earlier caller left behind may come in one piece with our own answer', async () => {
  const agent = await agentThat(({ execute, arguments: { id } }, socket) => {
    if (execute === 'guest-ping') socket.write('{"return": {}}\n')
    else {
      const complaint = Buffer.from('{"error": {"class": "GenericError", "desc": "JSON parse error, stray \'\\uFFFD\'"}}\n')
      socket.write(Buffer.concat([complaint, Buffer.from([0xff]), Buffer.from(`{"return": ${id + 1}}\n`), Buffer.from([0xff]), Buffer.from(`{"return": ${id}}\n`)]))
    }
  })
  expect(await agent.ping()).toBeLessThan(1000)
})
