import { Duplex, PassThrough } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { MessageChannel, type MessagePort as NodePort } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { STREAM_WINDOW_BYTES } from '#contract'
import { coupleStream, type StreamPort } from '../../../electron/main/streams'
import { channelOver, type ByteChannel } from '../../../renderer/app/stream'

/** Both ends of a stream, over a real MessagePort: main's coupling and the window's channel. */
const open: NodePort[] = []
function couple(source: Duplex): { channel: ByteChannel; windowPort: NodePort } {
  const { port1, port2 } = new MessageChannel()
  open.push(port1, port2)
  const port: StreamPort = {
    post: (message) => port1.postMessage(message),
    onMessage: (listener) => port1.on('message', listener),
    onClose: (listener) => port1.once('close', listener),
    close: () => port1.close()
  }
  coupleStream(source, port)
  return { channel: channelOver(port2 as unknown as MessagePort), windowPort: port2 }
}
afterEach(() => open.splice(0).forEach((port) => port.close()))

const text = (data: Uint8Array): string => new TextDecoder().decode(data)
const bytes = (given: string): Uint8Array => new TextEncoder().encode(given)

/** A source that counts what was asked of it, and gives as much as is taken. */
function flood(totalBytes: number): { source: Duplex; produced: () => number } {
  let produced = 0
  const source = new Duplex({
    read() {
      const size = Math.min(65536, totalBytes - produced)
      produced += size
      this.push(size === 0 ? null : Buffer.alloc(size, 'x'))
    },
    write: (_chunk, _encoding, done) => done()
  })
  return { source, produced: () => produced }
}

/** Lets messages travel until `settled` stays the same for many turns. */
async function untilQuiet(settled: () => number): Promise<number> {
  let last = -1
  for (let same = 0; same < 50; same = settled() === last ? same + 1 : 0) {
    last = settled()
    await turn()
  }
  return last
}

describe('a stream between the core and the window', () => {
  it('carries bytes both ways, in order', async () => {
    const source = new PassThrough()
    const { channel } = couple(source)
    const seen = new Promise<string>((resolve) => {
      let all = ''
      channel.onData((data, used) => {
        all += text(data)
        used()
        if (all.endsWith('end')) resolve(all)
      })
    })
    const long = 'b'.repeat(200_000)
    void channel.send(bytes('a'))
    void channel.send(bytes(long))
    await channel.send(bytes('end'))
    expect(await seen).toBe('a' + long + 'end')
  })

  it('makes a flood wait at its source until the window has used what came', async () => {
    const { source, produced } = flood(64 * STREAM_WINDOW_BYTES)
    const { channel } = couple(source)
    const unused: (() => void)[] = []
    channel.onData((_data, used) => unused.push(used))
    const first = await untilQuiet(produced)
    // One window under way, and what the source itself reads ahead.
    expect(first).toBeLessThanOrEqual(STREAM_WINDOW_BYTES + 4 * 65536)
    unused.splice(0).forEach((used) => used())
    const second = await untilQuiet(produced)
    expect(second).toBeGreaterThan(first)
    expect(second).toBeLessThanOrEqual(2 * STREAM_WINDOW_BYTES + 4 * 65536)
  })

  it('delivers every byte of a flood whose reader keeps up, then the end', async () => {
    const total = 8 * STREAM_WINDOW_BYTES + 17
    const { channel } = couple(flood(total).source)
    let received = 0
    const ended = new Promise<string | null>((resolve) => channel.onEnd(resolve))
    channel.onData((data, used) => {
      received += data.byteLength
      used()
    })
    expect(await ended).toBeNull()
    expect(received).toBe(total)
  })

  it('lets the window send only a window ahead of what the core has taken', async () => {
    const taken: (() => void)[] = []
    let written = 0
    const source = new Duplex({
      read() {},
      write: (chunk: Buffer, _encoding, done) => {
        written += chunk.length
        taken.push(done)
      }
    })
    const { channel } = couple(source)
    channel.onData(() => undefined)
    let sent = false
    const sending = channel.send(new Uint8Array(3 * STREAM_WINDOW_BYTES)).then(() => (sent = true))
    await untilQuiet(() => written)
    expect(sent).toBe(false)
    while (!sent) {
      taken.splice(0).forEach((done) => done())
      await turn()
    }
    await sending
    while (written < 3 * STREAM_WINDOW_BYTES) {
      taken.splice(0).forEach((done) => done())
      await turn()
    }
    expect(written).toBe(3 * STREAM_WINDOW_BYTES)
  })

  it('tells the window why a stream broke, after the bytes that came before', async () => {
    const source = new PassThrough()
    const { channel } = couple(source)
    let all = ''
    const ended = new Promise<string | null>((resolve) => channel.onEnd(resolve))
    channel.onData((data, used) => {
      all += text(data)
      used()
    })
    source.write('last words')
    await turn()
    source.destroy(new Error('QEMU went away.'))
    expect(await ended).toBe('QEMU went away.')
    expect(all).toBe('last words')
  })

  it('releases the source when the window closes its end', async () => {
    const source = new PassThrough()
    const { channel } = couple(source)
    channel.onData(() => undefined)
    const released = new Promise((resolve) => source.once('close', resolve))
    channel.close()
    await released
    expect(source.destroyed).toBe(true)
  })

  it('releases the source when the window is gone without a word', async () => {
    const source = new PassThrough()
    const { windowPort } = couple(source)
    const released = new Promise((resolve) => source.once('close', resolve))
    windowPort.close()
    await released
    expect(source.destroyed).toBe(true)
  })

  it('is not disturbed by messages outside the protocol', async () => {
    const source = new PassThrough()
    const { channel, windowPort } = couple(source)
    for (const odd of [null, 7, 'x', {}, { kind: 'acknowledged' }, { kind: 'acknowledged', bytes: -5 }, { kind: 'acknowledged', bytes: '9' }, [1]]) {
      windowPort.postMessage(odd)
    }
    const first = new Promise<string>((resolve) => channel.onData((data) => resolve(text(data))))
    await channel.send(bytes('still here'))
    expect(await first).toBe('still here')
  })
})
