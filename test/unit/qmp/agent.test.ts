import { describe, expect, it } from 'vitest'
import { listenAsAgent, ok, portByHand, refused, synchronised, type Question } from '../../support/qmp-agent-peer'
import { failureOf } from '../../support/scratch'

const isSync = ({ execute }: Question): boolean => execute === 'guest-sync-delimited'

describe('a guest agent', () => {
  it('is asked one thing at a time, in the order of the calls', async () => {
    let busy = 0
    const { agent, asked } = await listenAsAgent((question, socket) => {
      if (isSync(question)) return undefined
      expect(++busy).toBe(1)
      setImmediate(() => {
        busy--
        socket.write(JSON.stringify(question.execute === 'guest-get-host-name' ? ok({ 'host-name': 'lab1' }) : ok({})) + '\n')
      })
    })
    await Promise.all([agent.ping(), agent.hostname(), agent.ping()])
    expect(asked).toEqual(['guest-ping', 'guest-get-host-name', 'guest-ping'])
  })

  it('is believed only after it has answered our own number, whatever lay in the port before', async () => {
    const { agent } = await listenAsAgent((question, socket) => {
      if (!isSync(question)) return ok({ 'host-name': 'the right one' })
      socket.write('\0\0 firmware noise {"return": {"host-name": "half of an old ans')
      socket.write(synchronised(question, 12345))
      socket.write('{"return": {"host-name": "an old answer"}}\n')
      return undefined
    })
    expect(await agent.hostname()).toBe('the right one')
  })

  it('loses no answer that comes in one piece with the one before', async () => {
    let first = true
    const { agent } = await listenAsAgent((question, socket) => {
      if (isSync(question) && first) {
        first = false
        // All at once: our number, and the late answer to somebody else.
        socket.write(Buffer.concat([synchronised(question), Buffer.from('{"return": {"host-name": "late"}}\n')]))
        return null
      }
      return isSync(question) ? undefined : ok({ 'host-name': 'lab1' })
    })
    expect(await agent.hostname()).toBe('lab1')
  })

  it('that does not answer in time is not taken for answering the next question', async () => {
    const { agent, asked } = await listenAsAgent((question, socket) => {
      if (isSync(question)) return undefined
      if (question.execute !== 'guest-ping') return ok({ 'host-name': 'lab1' })
      setTimeout(() => socket.write('{"return": {"host-name": "late"}}\n'), 60)
      return undefined
    })
    expect(await failureOf('time-out', agent.ping({ timeoutMs: 30 }))).toMatchObject({ waitedMs: 30 })
    expect(await agent.hostname()).toBe('lab1')
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(await agent.hostname()).toBe('lab1')
    expect(asked).toHaveLength(3)
  })

  it('that is not there is told apart from one that is slow, with what to do', async () => {
    const { agent } = await listenAsAgent(() => null)
    expect((await failureOf('no-agent', agent.ping({ timeoutMs: 30 }))).next).toContain('install qemu-guest-agent')
  })

  it('is not asked at all while nobody in the guest has opened its port, and known to be gone when it closes', async () => {
    const port = portByHand()
    const { agent, asked } = await listenAsAgent((question) => (isSync(question) ? undefined : null), port.watch)
    port.say(false)
    const started = performance.now()
    await failureOf('no-agent', agent.ping())
    expect(performance.now() - started).toBeLessThan(500)
    expect(asked).toEqual([])
    port.say(true)
    const waiting = agent.ping()
    const lost = failureOf('connection-lost', waiting)
    while (asked.length === 0) await new Promise(setImmediate)
    port.say(false)
    await lost
  })

  it('that starts is noticed by the port’s word, and without it by the question that lies in the port', async () => {
    const port = portByHand()
    let up = false
    const { agent } = await listenAsAgent((question) => (up && isSync(question) ? undefined : null), port.watch)
    port.say(false)
    const ready = agent.waitUntilReady()
    await new Promise(setImmediate)
    up = true
    port.say(true)
    await ready

    const unread: (() => void)[] = []
    const silent = await listenAsAgent((question, socket) => {
      if (!isSync(question)) return ok({})
      unread.push(() => socket.write(synchronised(question)))
      return null
    })
    const noticed = silent.agent.waitUntilReady()
    while (unread.length === 0) await new Promise(setImmediate)
    for (const answer of unread) answer()
    await noticed
    await silent.agent.ping()
  })

  it('is waited for no longer than told', async () => {
    const { agent } = await listenAsAgent(() => null)
    await failureOf('time-out', agent.waitUntilReady({ timeoutMs: 30 }))
    await failureOf('cancelled', agent.waitUntilReady({ signal: AbortSignal.timeout(30) }))
  })

  it('tells its refusals in its own words', async () => {
    const { agent } = await listenAsAgent((question) => (isSync(question) ? undefined : refused('Command guest-ping has been disabled')))
    expect(await failureOf('qmp', agent.ping())).toMatchObject({ command: 'guest-ping', errorClass: 'GenericError', causes: ['Command guest-ping has been disabled'] })
  })

  it('with fewer commands still tells what it knows', async () => {
    const { agent } = await listenAsAgent((question) => {
      if (isSync(question)) return undefined
      return question.execute === 'guest-info' ? ok({ version: '5.2.0' }) : refused('not supported')
    })
    expect(await agent.info()).toEqual({ hostname: null, system: null, kernel: null, agentVersion: '5.2.0', interfaces: [], fileSystems: [] })
  })

  it.each([
    ['a list for a name', ok([])],
    ['no value', ok(undefined)],
    ['a number for a name', ok({ 'host-name': 7 })],
    ['an error that is none', { error: 7 }]
  ])('that answers with %s is not believed', async (_what, answer) => {
    const { agent } = await listenAsAgent((question) => (isSync(question) ? undefined : answer))
    await expect(agent.hostname()).rejects.toMatchObject({ error: { code: 'error' in (answer as object) ? 'qmp' : 'protocol' } })
  })

  it('that ends in the middle of an answer is asked anew by the next caller', async () => {
    const whole = JSON.stringify(ok({ 'host-name': 'lab1' })) + '\n'
    let cut = 0
    const { agent } = await listenAsAgent((question, socket) => {
      if (isSync(question)) return undefined
      socket.end(whole.slice(0, cut))
      return undefined
    })
    for (; cut < whole.length; cut++) await failureOf('connection-lost', agent.hostname())
    expect(await agent.hostname()).toBe('lab1')
  })

  it('that sends garbage loses the connection, and the next caller begins afresh', async () => {
    let garbage = true
    const { agent, sockets } = await listenAsAgent((question, socket) => {
      if (isSync(question) || !garbage) return isSync(question) ? undefined : ok({})
      garbage = false
      socket.write('this is not JSON\n')
      return undefined
    })
    await failureOf('protocol', agent.ping())
    await agent.ping()
    expect(sockets).toHaveLength(2)
  })

  it('that never reads is not sent questions without end', async () => {
    const { agent, sockets } = await listenAsAgent(() => null)
    await failureOf('no-agent', agent.ping({ timeoutMs: 20 }))
    sockets[0]?.pause()
    for (let n = 0; n < 40; n++) await failureOf('no-agent', agent.ping({ timeoutMs: 2 }))
    expect(sockets.length).toBeLessThan(5)
  })
})

describe('asked to power off', () => {
  it('an agent that goes on has taken it, and so has one that is gone', async () => {
    const stays = await listenAsAgent((question) => (question.execute === 'guest-ping' ? ok({}) : undefined))
    await stays.agent.shutdown()
    expect(stays.asked).toEqual(['guest-shutdown', 'guest-ping'])
    const goes = await listenAsAgent((question, socket) => {
      if (question.execute === 'guest-shutdown') socket.destroy()
      return undefined
    })
    await goes.agent.shutdown()
  })

  it('one that refuses says so, and can be used on', async () => {
    const { agent } = await listenAsAgent((question) => {
      if (isSync(question)) return undefined
      return question.execute === 'guest-shutdown' ? refused('child process has failed') : ok({})
    })
    expect((await failureOf('qmp', agent.shutdown())).causes).toEqual(['child process has failed'])
    await agent.ping()
  })

  it('one that says nothing is not said to have taken it', async () => {
    const { agent } = await listenAsAgent((question) => (isSync(question) ? undefined : null))
    await failureOf('time-out', agent.shutdown({ timeoutMs: 40 }))
  })
})

describe('frozen file systems', () => {
  it('are thawed when what was to be done meanwhile fails, or the freeze is not answered in time', async () => {
    let answersFreeze = true
    const { agent, asked } = await listenAsAgent((question) => {
      if (isSync(question)) return undefined
      return question.execute === 'guest-fsfreeze-freeze' && !answersFreeze ? null : ok(1)
    })
    await expect(agent.whileFrozen(() => Promise.reject(new Error('a bug')))).rejects.toThrow('a bug')
    expect(asked).toEqual(['guest-fsfreeze-freeze', 'guest-fsfreeze-thaw'])
    answersFreeze = false
    await failureOf('time-out', agent.whileFrozen(() => Promise.resolve(), { timeoutMs: 30 }))
    expect(asked.at(-1)).toBe('guest-fsfreeze-thaw')
  })

  it('that could not be frozen are left alone; that could not be thawed are told of', async () => {
    let freezes = false
    const { agent, asked } = await listenAsAgent((question) => {
      if (isSync(question)) return undefined
      return question.execute === 'guest-fsfreeze-freeze' && freezes ? ok(1) : refused('no')
    })
    await failureOf('qmp', agent.whileFrozen(() => Promise.resolve()))
    expect(asked).toEqual(['guest-fsfreeze-freeze'])
    freezes = true
    const error = await failureOf('wrong-state', agent.whileFrozen(() => Promise.reject(new Error('a bug'))))
    expect(error.causes).toContain('a bug')
    expect(error.causes).toContain('no')
  })
})
