import { describe, expect, it, onTestFinished } from 'vitest'
import { Failure } from '#contract'
import { QmpSession } from '#core/qmp/session'
import { GREETING, listenAsQemu } from '../../support/qmp-peer'
import { failureOf } from '../../support/scratch'

async function connected(path: string): Promise<QmpSession> {
  const session = await QmpSession.connect(path)
  onTestFinished(() => session.close())
  return session
}
const reply = (id: number, value: unknown): string => JSON.stringify({ return: value, id }) + '\r\n'

describe('a QMP session', () => {
  it('reads the greeting, and knows the version', async () => {
    const peer = await listenAsQemu(() => {})
    expect((await connected(peer.path)).version).toBe('7.2.22')
  })

  it('gives each caller its own answer, in whatever order they come', async () => {
    const asked: number[] = []
    const peer = await listenAsQemu(({ id }, socket) => {
      asked.push(id)
      if (asked.length === 3) for (const one of [...asked].reverse()) socket.write(reply(one, { for: one }))
    })
    const session = await connected(peer.path)
    const answers = await Promise.all([1, 2, 3].map(() => session.executeAny('query-status', {})))
    expect(answers).toEqual(asked.map((id) => ({ for: id })))
  })

  it('takes an answer that comes byte by byte, a character cut in two', async () => {
    const peer = await listenAsQemu(({ id }, socket) => {
      const bytes = Buffer.from(reply(id, { name: 'Übung 日本' }))
      void (async () => {
        for (const byte of bytes) {
          socket.write(Buffer.of(byte))
          await new Promise(setImmediate)
        }
      })()
    })
    expect(await (await connected(peer.path)).executeAny('query-name', {})).toEqual({ name: 'Übung 日本' })
  })

  it('tells QEMU’s refusal with its class and words', async () => {
    const peer = await listenAsQemu(({ id }, socket) => socket.write(`{"error":{"class":"CommandNotFound","desc":"The command x has not been found"},"id":${id}}\r\n`))
    const error = await failureOf('qmp', (await connected(peer.path)).executeAny('x', {}))
    expect(error).toMatchObject({ command: 'x', errorClass: 'CommandNotFound', causes: ['The command x has not been found'] })
  })

  it('hears events, and one that comes before the answer', async () => {
    const peer = await listenAsQemu(({ id }, socket) => socket.write('{"event":"STOP","data":{},"timestamp":{"seconds":5,"microseconds":500000}}\r\n' + reply(id, {})))
    const session = await connected(peer.path)
    const at: number[] = []
    session.onEvent('STOP', (_data, atMs) => at.push(atMs))
    const stopped = session.waitForEvent('STOP')
    await session.execute('stop')
    await stopped
    expect(at).toEqual([5500])
  })

  it('stops waiting when cancelled or out of time, and drops the late answer', async () => {
    let late = (): void => {}
    const peer = await listenAsQemu(({ execute, id }, socket) => {
      if (execute === 'slow') late = () => void socket.write(reply(id, 'late'))
      else socket.write(reply(id, 'in time'))
    })
    const session = await connected(peer.path)
    const cancel = new AbortController()
    const waiting = session.executeAny('slow', {}, { signal: cancel.signal })
    cancel.abort()
    await failureOf('cancelled', waiting)
    await failureOf('time-out', session.executeAny('slow', {}, { timeoutMs: 20 }))
    late()
    expect(await session.executeAny('quick', {})).toBe('in time')
  })

  it('tells everybody who waits when the socket dies, at every byte of an answer', async () => {
    const answer = reply(2, { status: 'running' })
    for (let cut = 0; cut < answer.length - 1; cut++) {
      const peer = await listenAsQemu((_message, socket) => socket.end(answer.slice(0, cut)))
      const session = await connected(peer.path)
      await failureOf('connection-lost', session.executeAny('query-status', {}))
      await failureOf('connection-lost', session.executeAny('query-status', {}))
    }
  })

  it.each([
    ['what is not JSON', 'hello\r\n'],
    ['JSON that is no object', '[1,2]\r\n'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22, 0x0a])]
  ])('ends with a clear word when the other side sends %s', async (_what, sent) => {
    const peer = await listenAsQemu((_message, socket) => void socket.write(sent))
    const session = await connected(peer.path)
    await failureOf('protocol', session.executeAny('query-status', {}))
    expect((await session.closed).error.code).toBe('protocol')
  })

  it('refuses a peer that greets as something else, and one that says nothing', async () => {
    const web = await listenAsQemu(() => {}, '{"hello":1}\r\n')
    await expect(QmpSession.connect(web.path, { timeoutMs: 100 })).rejects.toBeInstanceOf(Failure)
    const silent = await listenAsQemu(() => {}, null)
    await failureOf('time-out', QmpSession.connect(silent.path, { timeoutMs: 50 }))
  })

  it('shows the traffic both ways to who asks for it', async () => {
    const peer = await listenAsQemu(({ id }, socket) => void socket.write(reply(id, { running: true })))
    const session = await connected(peer.path)
    const seen: string[] = []
    const stop = session.onTraffic(({ direction, message }) => seen.push(`${direction} ${JSON.stringify(message)}`))
    await session.executeAny('query-status', {})
    stop()
    await session.executeAny('query-status', {})
    expect(seen).toHaveLength(2)
    expect(seen[0]).toContain('sent {"execute":"query-status"')
    expect(seen[1]).toContain('received {"return":{"running":true}')
  })

  it('can be connected a hundred times at once', async () => {
    const peer = await listenAsQemu(({ id }, socket) => void socket.write(reply(id, id)))
    const sessions = await Promise.all(Array.from({ length: 100 }, () => connected(peer.path)))
    expect(await Promise.all(sessions.map((session) => session.executeAny('x', {})))).toHaveLength(100)
  })

  it('has a greeting like QEMU’s in its tests', () => expect(JSON.parse(GREETING)).toHaveProperty('QMP.version.qemu.major', 7))
})
