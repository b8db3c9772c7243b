import { describe, expect, it } from 'vitest'
import { Failure } from '#contract'
import { JsonLines } from '#core/qmp/framing'
import { QmpSession } from '#core/qmp/session'
import { listenAsQemu, seeded } from '../../support/qmp-peer'

const SEED = Number(process.env.FUZZ_SEED ?? 20_261)

/** Pieces that look like QMP, and pieces that do not. */
function piece(next: (limit: number) => number): Buffer {
  const whole = ['{"return":{},"id":2}\r\n', '{"event":"STOP"}\n', '{"error":{},"id":3}\n', '{"error":7,"id":2}\n', '{"id":99,"return":1}\n', '{"return":{}}\n', '{}\n', '\n', '{"event":5}\n', '{"id":{"a":1},"return":2}\n']
  switch (next(5)) {
    case 0:
      return Buffer.from(Array.from({ length: next(400) }, () => next(256)))
    case 1:
      return Buffer.from('['.repeat(next(3000)))
    case 2: {
      const text = whole[next(whole.length)] ?? ''
      return Buffer.from(text.slice(0, next(text.length)))
    }
    case 3:
      return Buffer.from(JSON.stringify({ return: 'x'.repeat(next(5000)), id: next(5) }) + '\n')
    default:
      return Buffer.from(whole[next(whole.length)] ?? '')
  }
}

describe('a million bytes of garbage', () => {
  it(`neither crash the framing nor make it keep what it should not (seed ${SEED})`, () => {
    const next = seeded(SEED)
    let bytes = 0
    let lines = new JsonLines('the fuzzer')
    while (bytes < 1_000_000) {
      const chunk = piece(next)
      bytes += chunk.length
      try {
        lines.push(chunk, (message) => expect(typeof message).toBe('object'))
      } catch (error) {
        expect(error).toBeInstanceOf(Failure)
        lines = new JsonLines('the fuzzer')
      }
    }
  })

  it(`leave no caller of a session waiting (seed ${SEED})`, async () => {
    const next = seeded(SEED + 1)
    for (let sent = 0, round = 0; sent < 1_000_000 && round < 400; round++) {
      const peer = await listenAsQemu((_message, socket) => {
        for (let n = next(30); n >= 0; n--) {
          const chunk = piece(next)
          sent += chunk.length
          socket.write(chunk)
        }
        if (next(2) === 0) socket.end()
        else socket.destroy()
      })
      const session = await QmpSession.connect(peer.path)
      const settled = await Promise.allSettled([session.executeAny('a', {}, { timeoutMs: 2000 }), session.executeAny('b', {}, { timeoutMs: 2000 }), session.waitForEvent('STOP', () => true, { timeoutMs: 2000 })])
      for (const outcome of settled) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(Failure)
      session.close()
    }
  }, 60_000)
})
