import { spawn } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { onTestFinished } from 'vitest'
import { waitForSocket } from '#core/host/socket'
import { GuestAgent, watchPort } from '#core/machine/agent'
import { QmpSession } from '#core/qmp/session'
import { openLab } from './lab'

export interface Guest {
  qmp: QmpSession
  agent: GuestAgent
  /** Another client of the same port, which takes one at a time; without QMP's word on who comes and goes. */
  openSecondAgent(): GuestAgent
  /** Fulfilled when QEMU has ended. */
  ended: Promise<void>
}

/** The built-in guest in a QEMU of its own, just started: nobody but the test is connected to it. */
export async function bootGuest(): Promise<Guest> {
  const lab = await openLab()
  await lab.done('machine.create', { name: 'lab1', display: false, network: [] })
  const { program, arguments: args } = await lab.call('machine.command-line', { machine: 'lab1' })
  const pathAfter = (text: string): string => args.find((arg) => arg.includes(text))?.match(/path=([^,]+)/)?.[1] ?? ''
  const [qmpPath, agentPath] = [pathAfter('id=qmp,'), pathAfter('id=agent,')]
  mkdirSync(dirname(qmpPath), { recursive: true, mode: 0o700 })
  const child = spawn(program, args, { stdio: 'ignore' })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
    rmSync(dirname(qmpPath), { recursive: true, force: true })
  })
  const gone = new AbortController()
  void ended.then(() => gone.abort())
  const qmp = await QmpSession.over(await waitForSocket(qmpPath, { signal: gone.signal, timeoutMs: 30_000 }))
  const agent = new GuestAgent(agentPath, 'lab1', watchPort(qmp, 'agent-port', 'agent'))
  onTestFinished(() => {
    agent.close()
    qmp.close()
  })
  const openSecondAgent = (): GuestAgent => {
    const second = new GuestAgent(agentPath, 'lab1')
    onTestFinished(() => second.close())
    return second
  }
  return { qmp, agent, openSecondAgent, ended }
}
