import { existsSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { failure } from '#contract'
import { serveApi, type ApiOptions } from '../../../electron/server/api'
import { coreDouble, machine } from '../../support/core-double'
import { ask } from '../../support/http'
import { failureOf, scratchFolder } from '../../support/scratch'

const TOKEN = 'a'.repeat(64)

async function serve(options: Partial<ApiOptions> = {}) {
  const core = coreDouble()
  const socketPath = join(scratchFolder(), 'owner.sock')
  const api = await serveApi(core, { socketPath, version: '1.2.3', ...options })
  onTestFinished(() => api.close())
  return { core, api, socketPath, post: (name: string, body: string | object, headers?: Record<string, string>) => ask({ socketPath, path: `/v1/${name}`, body: typeof body === 'string' ? body : JSON.stringify(body), ...(headers && { headers }) }) }
}
const serveTcp = async () => {
  const served = await serve({ tcp: { port: 0, token: TOKEN } })
  return { ...served, port: served.api.address.tcp?.port ?? 0 }
}
const authorised = { Authorization: `Bearer ${TOKEN}` }

test('an operation answers 200 with its result', async () => {
  const { post, core } = await serve()
  const answered = await post('machine.show', { machine: 'lab1' })
  expect(answered.status).toBe(200)
  expect(answered.headers['content-type']).toContain('application/json')
  expect(answered.json()).toMatchObject({ name: 'lab1', state: { kind: 'running' } })
  expect(core.calls).toEqual([{ name: 'machine.show', input: { machine: 'lab1' } }])
})

test('a long-running operation answers 202 with its task', async () => {
  const { post, core } = await serve()
  core.answer('machine.start', (input) => ({ taskId: core.startTask('machine.start', `Start ${input.machine}`).id }))
  const answered = await post('machine.start', { machine: 'lab1' })
  expect([answered.status, answered.json()]).toEqual([202, { taskId: 't1' }])
})

test('an empty body counts as no fields', async () => {
  const { post } = await serve()
  expect((await post('machine.list', '')).status).toBe(200)
})

test('an input that does not fit answers 400 and names the field', async () => {
  const { post } = await serve()
  const answered = await post('machine.create', { name: 'x', forward: ['tcp:22:22', 'nonsense'] })
  expect([answered.status, answered.json()]).toMatchObject([400, { code: 'bad-input', field: 'forward.1' }])
})

test.each([
  ['{"a":', 'body'],
  ['[1]', 'body'],
  ['null', 'body'],
  ['"text"', 'body']
])('a body that is not a JSON object answers 400: %s', async (body, field) => {
  const { post } = await serve()
  expect([(await post('machine.list', body)).status, (await post('machine.list', body)).json()]).toMatchObject([400, { code: 'bad-input', field }])
})

test('the status follows from the error’s code', async () => {
  const { post, core } = await serve()
  const thrown = [
    [failure('not-found', 'No.', { what: 'machine', name: 'x' }), 404],
    [failure('wrong-state', 'No.', { name: 'x', state: 'stopped' }), 409],
    [failure('missing-program', 'No.', { program: 'swtpm', install: 'apt' }), 501],
    [failure('time-out', 'No.', { waitedMs: 1 }), 504],
    [failure('no-space', 'No.', { path: '/' }), 507],
    [new Error('a bug'), 500]
  ] as const
  for (const [error, status] of thrown) {
    core.answer('machine.show', () => {
      throw error
    })
    const answered = await post('machine.show', { machine: 'x' })
    expect([answered.status, answered.json()]).toMatchObject([status, { code: error instanceof Error && 'error' in error ? error.error.code : 'internal' }])
  }
})

test('unknown operations and paths answer 404', async () => {
  const { socketPath, post } = await serve()
  expect([(await post('machine.explode', {})).status, (await post('toString', {})).status]).toEqual([404, 404])
  const elsewhere = await ask({ socketPath, path: '/etc/passwd' })
  expect([elsewhere.status, elsewhere.json()]).toMatchObject([404, { code: 'unknown-operation' }])
  for (const path of ['//', '//evil.example/v1/owner', '/v1/', '/v1/machine.list/']) expect((await ask({ socketPath, path })).status, path).toBe(404)
  expect((await ask({ socketPath, path: 'http://evil.example/v1/owner' })).status).toBe(400)
})

test('the wrong method answers 405 and says which is right', async () => {
  const { socketPath } = await serve()
  const got = await ask({ socketPath, path: '/v1/machine.list' })
  expect([got.status, got.headers.allow]).toEqual([405, 'POST'])
  const posted = await ask({ socketPath, path: '/v1/events', body: '{}' })
  expect([posted.status, posted.headers.allow]).toEqual([405, 'GET'])
})

test('a body over 1 MiB answers 413, told before or found out', async () => {
  const { socketPath, core } = await serve()
  const large = Buffer.alloc(2 ** 20 + 1, ' ')
  const told = await ask({ socketPath, path: '/v1/machine.list', body: large })
  expect([told.status, told.json()]).toMatchObject([413, { code: 'bad-input', field: 'body' }])
  const chunked = await ask({ socketPath, path: '/v1/machine.list', body: large, headers: { 'Transfer-Encoding': 'chunked' } })
  expect(chunked.status).toBe(413)
  const asked = await ask({ socketPath, path: '/v1/machine.list', method: 'POST', headers: { Expect: '100-continue', 'Content-Length': '999999999' } })
  expect(asked.status).toBe(413)
  expect(core.calls).toEqual([])
  const largest = await ask({ socketPath, path: '/v1/machine.list', body: Buffer.concat([Buffer.from('{}'), Buffer.alloc(2 ** 20 - 2, ' ')]) })
  expect(largest.status).toBe(200)
})

test('the socket belongs to its user alone and replaces one that a dead owner left', async () => {
  const socketPath = join(scratchFolder(), 'owner.sock')
  writeFileSync(socketPath, 'left behind')
  const api = await serveApi(coreDouble(), { socketPath, version: '1' })
  onTestFinished(() => api.close())
  expect(statSync(socketPath).mode & 0o777).toBe(0o600)
  expect((await ask({ socketPath, path: '/v1/owner' })).json()).toEqual({ owner: 'double', version: '1', pid: process.pid })
})

test('a socket path that the system cannot take is refused in words', async () => {
  const socketPath = join(scratchFolder(), 'x'.repeat(100), 'owner.sock')
  expect(await failureOf('file', serveApi(coreDouble(), { socketPath, version: '1' }))).toMatchObject({ errno: 'ENAMETOOLONG' })
})

test('closing takes its own socket away, not one that came after it', async () => {
  const { api, socketPath } = await serve()
  const later = await serveApi(coreDouble('later'), { socketPath, version: '1' })
  onTestFinished(() => later.close())
  await api.close()
  expect((await ask({ socketPath, path: '/v1/owner' })).json()).toMatchObject({ owner: 'later' })
  await later.close()
  expect(existsSync(socketPath)).toBe(false)
})

test('loopback TCP wants the token', async () => {
  const { port } = await serveTcp()
  const path = '/v1/openapi.json'
  const without = await ask({ port, path })
  expect([without.status, without.headers['www-authenticate'], without.json()]).toMatchObject([401, 'Bearer', { code: 'unauthorized' }])
  for (const header of [`Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, 'Bearer', 'Bearer ', `Basic ${TOKEN}`, TOKEN]) {
    expect((await ask({ port, path, headers: { Authorization: header } })).status, header).toBe(401)
  }
  expect((await ask({ port, path, headers: authorised })).status).toBe(200)
  expect((await ask({ port, path, headers: { Authorization: `bearer ${TOKEN}` } })).status).toBe(200)
})

test('loopback TCP refuses names that were pointed to it, and requests of web pages', async () => {
  const { port, socketPath } = await serveTcp()
  const path = '/v1/openapi.json'
  for (const Host of ['evil.example', `evil.example:${port}`, 'localhost.evil.example', '127.0.0.1.evil.example']) {
    expect((await ask({ port, path, headers: { ...authorised, Host } })).status, Host).toBe(403)
  }
  for (const Host of [`localhost:${port}`, `127.0.0.1:${port}`, 'LOCALHOST']) expect((await ask({ port, path, headers: { ...authorised, Host } })).status, Host).toBe(200)
  const Origin = 'http://evil.example'
  expect((await ask({ port, path, headers: { ...authorised, Origin } })).status).toBe(403)
  expect((await ask({ socketPath, path, headers: { Origin } })).status).toBe(403)
  const preflight = await ask({ port, path: '/v1/machine.list', method: 'OPTIONS', headers: { Origin, 'Access-Control-Request-Method': 'POST' } })
  expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([403, undefined])
})

test('a port that is taken is an error that says so, and leaves nothing open', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  onTestFinished(() => void other.close())
  const { port } = other.address() as { port: number }
  const socketPath = join(scratchFolder(), 'owner.sock')
  const error = await failureOf('in-use', serveApi(coreDouble(), { socketPath, version: '1', tcp: { port, token: TOKEN } }))
  expect(error.message).toContain(String(port))
  expect(existsSync(socketPath)).toBe(false)
})

test('TCP can be switched off and on while it serves', async () => {
  const { api, port } = await serveTcp()
  await api.setTcp(null)
  expect(api.address.tcp).toBeNull()
  await expect(ask({ port, path: '/v1/owner', headers: authorised })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await api.setTcp({ port: 0, token: TOKEN })
  expect((await ask({ port: api.address.tcp?.port ?? 0, path: '/v1/owner', headers: authorised })).status).toBe(200)
})

test('five hundred requests at once are all answered', async () => {
  const { socketPath } = await serve()
  const answers = await Promise.all(Array.from({ length: 500 }, (_, number) => ask({ socketPath, path: '/v1/machine.show', body: JSON.stringify({ machine: `m${number}` }) })))
  expect(answers.map((answered) => (answered.json() as { name: string }).name)).toEqual(Array.from({ length: 500 }, (_, number) => `m${number}`))
})

test('a client that sends its headers or its body too slowly is cut off', async () => {
  const { socketPath } = await serve({ limits: { headersMs: 200, requestMs: 400 } })
  const cut = (text: string) =>
    new Promise<string>((resolve) => {
      const client = connect(socketPath, () => client.write(text))
      let answer = ''
      client.on('data', (data) => (answer += data.toString()))
      client.once('close', () => resolve(answer))
    })
  expect(await cut('GET /v1/own')).toContain('408')
  expect(await cut('POST /v1/machine.list HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{')).toContain('408')
})

test('clients that die in the middle do no harm', async () => {
  const { socketPath, core, post } = await serve()
  let finish = (_value: unknown): void => {}
  const begun = new Promise<void>((resolve) => {
    core.answer('machine.show', () => {
      resolve()
      return new Promise((done) => (finish = done))
    })
  })
  const client = connect(socketPath, () => client.write('POST /v1/machine.show HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\n\r\n{"machine":"x"}'))
  await begun
  client.destroy()
  const half = connect(socketPath, () => half.write('POST /v1/machine.list HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{', () => half.destroy()))
  await new Promise((resolve) => half.once('close', resolve))
  finish(machine('x'))
  const garbage = connect(socketPath, () => garbage.end('\0\0\0 what\r\n\r\n'))
  garbage.resume()
  await new Promise((resolve) => garbage.once('close', resolve))
  expect((await post('machine.list', {})).status).toBe(200)
})

test('a retiring owner answers what changes nothing, and refuses new work so that it can be sent again', async () => {
  const { core, api, socketPath } = await serve()
  core.answer('machine.pause', (input) => machine(input.machine))
  const connection = await keepAlive(socketPath)
  await api.retire()
  expect(existsSync(socketPath)).toBe(false)
  expect(await connection('machine.list', {})).toContain('200 OK')
  expect(await connection('machine.pause', { machine: 'lab1' })).toContain('503 Service Unavailable')
  expect(core.calls.map((call) => call.name)).toEqual(['machine.list'])
})

test('closing lets an answer under way finish, and cuts what takes longer', async () => {
  const { core, api, post } = await serve({ limits: { drainMs: 300 } })
  const task = core.startTask('machine.start', 'Start lab1')
  const short = post('task.wait', { taskId: task.id })
  while (core.calls.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const closed = api.close()
  task.end({ kind: 'done', result: null })
  expect((await short).json()).toMatchObject({ state: { kind: 'done' } })
  await closed

  const second = await serve({ limits: { drainMs: 50 } })
  const endless = second.core.startTask('machine.start', 'Start lab1')
  const long = second.post('task.wait', { taskId: endless.id })
  const cut = expect(long).rejects.toMatchObject({ code: 'ECONNRESET' })
  while (second.core.calls.length === 0) await new Promise((resolve) => setImmediate(resolve))
  await second.api.close()
  await cut
})

test('a socket that cannot be made is an error that names it', async () => {
  const socketPath = join(scratchFolder(), 'missing', 'owner.sock')
  expect((await failureOf('file', serveApi(coreDouble(), { socketPath, version: '1' }))).path).toBe(socketPath)
})

/** Requests over one connection, as a browser or a tool with a connection pool sends them. */
async function keepAlive(socketPath: string): Promise<(name: string, input: object) => Promise<string>> {
  const client = connect(socketPath)
  await new Promise((resolve) => client.once('connect', resolve))
  onTestFinished(() => void client.destroy())
  const answer = (): Promise<string> => new Promise((resolve) => client.once('data', (data) => resolve(data.toString())))
  const send = (name: string, input: object): Promise<string> => {
    const body = JSON.stringify(input)
    client.write(`POST /v1/${name} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    return answer()
  }
  client.write('GET /v1/owner HTTP/1.1\r\nHost: x\r\n\r\n')
  await answer()
  return send
}
