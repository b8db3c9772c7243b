import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Duplex, PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test, vi } from 'vitest'
import { failure } from '#contract'
import { serveApi } from '../../../electron/server/api'
import { connectTo } from '../../../electron/server/owner-client'
import { coreDouble } from '../../support/core-double'
import { ask } from '../../support/http'
import { scratchFolder } from '../../support/scratch'

const TOKEN = 'b'.repeat(64)

async function serve() {
  const core = coreDouble()
  const socketPath = join(scratchFolder(), 'owner.sock')
  const api = await serveApi(core, { socketPath, version: '1', tcp: { port: 0, token: TOKEN } })
  onTestFinished(() => api.close())
  const client = await connectTo(socketPath)
  if (!client) throw new Error('nobody there')
  onTestFinished(() => client.close())
  const open = async (): Promise<Duplex> => {
    const opened = await client.openStream('console', { machine: 'lab1' })
    if (!opened.ok) throw new Error(opened.error.message)
    onTestFinished(() => void opened.value.destroy())
    return opened.value
  }
  return { core, api, socketPath, client, open, port: api.address.tcp?.port ?? 0 }
}

test('bytes go both ways as they are', async () => {
  const { core, client } = await serve()
  let given: unknown
  core.stream((name, input) => {
    given = { name, input }
    return new PassThrough()
  })
  const opened = await client.openStream('console', { machine: 'Übung 1', fromByte: 7 })
  if (!opened.ok) throw new Error(opened.error.message)
  const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 256))
  const chunks: Buffer[] = []
  opened.value.on('data', (chunk: Buffer) => chunks.push(chunk))
  opened.value.write(bytes)
  await vi.waitFor(() => expect(Buffer.concat(chunks).equals(bytes)).toBe(true))
  expect(given).toEqual({ name: 'console', input: { machine: 'Übung 1', fromByte: 7 } })
  opened.value.destroy()
})

test('a client that sends its first bytes with the request loses none', async () => {
  const { core, socketPath } = await serve()
  core.stream(() => new PassThrough())
  const socket = connect(socketPath)
  onTestFinished(() => void socket.destroy())
  socket.write('GET /v1/streams/console?input=%7B%22machine%22%3A%22a%22%7D HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: strata-stream\r\n\r\nearly')
  let seen = ''
  socket.on('data', (data) => (seen += data.toString()))
  await vi.waitFor(() => expect(seen).toMatch(/^HTTP\/1\.1 101 [^]*\r\n\r\nearly$/))
})

test('the end of the source reaches the client after all its bytes', async () => {
  const { core, open } = await serve()
  core.stream(() => Duplex.from({ readable: Readable.from([Buffer.alloc(300_000, 'x'), Buffer.from('last')]), writable: new PassThrough().resume() }))
  const all = await text(await open())
  expect([all.length, all.slice(-4)]).toEqual([300_004, 'last'])
})

test('a slow client holds the source up instead of filling memory', async () => {
  const { core, open } = await serve()
  let produced = 0
  const source = new Duplex({
    read() {
      produced += 65_536
      this.push(Buffer.alloc(65_536))
    },
    write: (_chunk, _encoding, done) => done()
  })
  core.stream(() => source)
  const stream = await open()
  stream.pause()
  let before = -1
  await vi.waitFor(() => {
    const moving = produced !== before
    before = produced
    expect(moving).toBe(false)
  }, { timeout: 5000, interval: 100 })
  expect(produced).toBeLessThan(4 * 2 ** 20)
})

test('a slow source holds the client up', async () => {
  const { core, open } = await serve()
  core.stream(() => new Duplex({ read() {}, write() {} }))
  const stream = await open()
  let sent = 0
  while (stream.write(Buffer.alloc(65_536)) && sent < 100) sent += 1
  expect(sent).toBeLessThan(100)
})

test('the source is let go when the client leaves, in order or abruptly', async () => {
  const { core, open } = await serve()
  for (const leave of [(stream: Duplex) => stream.end('bye'), (stream: Duplex) => stream.destroy()]) {
    const source = new PassThrough()
    core.stream(() => source)
    const stream = await open()
    leave(stream)
    if (!source.closed) await once(source, 'close')
  }
})

test('what the client sent last still arrives', async () => {
  const { core, open } = await serve()
  const received: string[] = []
  const source = new Duplex({ read() {}, write: (chunk: Buffer, _encoding, done) => void setImmediate(() => done(void received.push(chunk.toString()))) })
  core.stream(() => source)
  const stream = await open()
  stream.end('poweroff\n')
  await once(source, 'close')
  expect(received).toEqual(['poweroff\n'])
})

test('a source that breaks ends the connection', async () => {
  const { core, open } = await serve()
  const source = new PassThrough()
  core.stream(() => source)
  const stream = await open()
  stream.on('error', () => {})
  stream.resume()
  const closed = once(stream, 'close')
  source.destroy(new Error('broken'))
  await closed
})

test('what cannot be opened is an ordinary error', async () => {
  const { core, client } = await serve()
  core.stream(() => {
    throw failure('wrong-state', '“lab1” does not run.', { name: 'lab1', state: 'stopped' })
  })
  expect(await client.openStream('console', { machine: 'lab1' })).toMatchObject({ ok: false, error: { code: 'wrong-state', message: '“lab1” does not run.' } })
  expect(await client.openStream('console', {})).toMatchObject({ ok: false, error: { code: 'bad-input', field: 'machine' } })
  expect(await client.openStream('nonsense', {})).toMatchObject({ ok: false, error: { code: 'unknown-operation' } })
})

test('a stream is guarded as everything else', async () => {
  const { port, socketPath } = await serve()
  const path = '/v1/streams/console?input=%7B%22machine%22%3A%22a%22%7D'
  const upgrade = { Connection: 'Upgrade', Upgrade: 'strata-stream' }
  expect((await ask({ port, path, headers: upgrade })).status).toBe(401)
  expect((await ask({ port, path, headers: { ...upgrade, Authorization: `Bearer ${TOKEN}`, Host: 'evil.example' } })).status).toBe(403)
  expect((await ask({ socketPath, path, headers: { ...upgrade, Origin: 'http://x' } })).status).toBe(403)
  expect((await ask({ socketPath, path, headers: { ...upgrade, Upgrade: 'websocket' } })).status).toBe(426)
  expect((await ask({ socketPath, path })).status).toBe(426)
  expect((await ask({ socketPath, path: '/v1/streams/console?input=%7B', headers: upgrade })).json()).toMatchObject({ code: 'bad-input', field: 'input' })
})

test('closing the API ends its streams', async () => {
  const { core, api, open } = await serve()
  const source = new PassThrough()
  core.stream(() => source)
  const stream = await open()
  stream.resume()
  const closed = once(stream, 'close')
  await api.close()
  await closed
  if (!source.closed) await once(source, 'close')
})
