import { describe, expect, it } from 'vitest'
import { failureOf } from '../support/scratch'
import { bootGuest } from '../support/qmp-guest'

const BOOT = { timeoutMs: 90_000 }

describe('the guest agent of the built-in guest', () => {
  it('is noticed when it starts, does what it is told, and powers the guest off', async () => {
    const { agent, ended } = await bootGuest()
    expect((await failureOf('no-agent', agent.ping({ timeoutMs: 300 }))).next).toContain('qemu-guest-agent')
    const before = process.cpuUsage()
    await agent.waitUntilReady(BOOT)
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan(500) // it waited, and did not poll for seconds

    expect(await agent.hostname()).toBe('lab1')
    expect(await agent.info()).toMatchObject({ hostname: 'lab1', fileSystems: [{ mountpoint: '/', type: 'ext4' }] })
    const command = ['sh', '-c', 'cat; echo wrong >&2; exit $CODE']
    expect(await agent.exec(command, { input: 'Übung', environment: ['CODE=3'], ...BOOT })).toEqual({ exitCode: 3, signal: null, stdout: 'Übung', stderr: 'wrong\n', truncated: false })
    expect(await agent.exec(['sh', '-c', 'kill -9 $$'], BOOT)).toMatchObject({ exitCode: null, signal: 9 })
    expect((await failureOf('qmp', agent.exec(['/no/such/program'], BOOT))).causes.join()).toContain('/no/such/program')
    expect(await failureOf('time-out', agent.exec(['sleep', '60'], { timeoutMs: 200 }))).toMatchObject({ waitedMs: 200 })

    expect(await agent.whileFrozen(() => agent.freezeStatus())).toBe('frozen')
    await expect(agent.whileFrozen(() => Promise.reject(new Error('a bug')))).rejects.toThrow('a bug')
    expect(await agent.freezeStatus()).toBe('thawed')

    await agent.shutdown({ timeoutMs: 10_000 })
    await ended
  })

  it('answers again after it was killed, after a reset, and after another program used its port', async () => {
    const { qmp, agent, openSecondAgent } = await bootGuest()
    await agent.waitUntilReady(BOOT)
    // Its own end is the last that it hears: no answer, and init starts another one.
    await failureOf('connection-lost', agent.exec(['sh', '-c', 'kill -9 $(pidof qemu-ga)'], BOOT))
    await agent.waitUntilReady(BOOT)
    await agent.ping()

    const reset = qmp.waitForEvent('RESET', () => true, BOOT)
    await qmp.execute('system_reset')
    await reset
    // Its end is noticed before it is asked, or after.
    await expect(agent.ping()).rejects.toMatchObject({ error: { code: expect.stringMatching(/^(no-agent|connection-lost)$/) as string } })
    await agent.waitUntilReady(BOOT)
    expect(await agent.hostname()).toBe('lab1')

    agent.close()
    const second = openSecondAgent()
    // The first one's question is left unanswered in the port, and answered to the second.
    await failureOf('cancelled', second.exec(['sleep', '1'], { ...BOOT, signal: AbortSignal.timeout(30) }))
    expect(await second.hostname()).toBe('lab1')
  })
})
