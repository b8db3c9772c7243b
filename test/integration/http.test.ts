import { createServer } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Event, Machine, Task } from '#contract'
import { serveOwned } from '../../electron/server/owned'
import { connectTo, type OwnerClient } from '../../electron/server/owner-client'
import { connectOwner } from '../../electron/server/client'
import { ask } from '../support/http'
import { openLab, type Lab } from '../support/lab'
import { failureOf } from '../support/scratch'

// The HTTP API over the real core. Its parts against a double: test/unit/server.
async function serve(): Promise<{ lab: Lab; client: OwnerClient; socketPath: string; stop: () => Promise<void>; tcpErrors: string[] }> {
  const lab = await openLab()
  const tcpErrors: string[] = []
  const api = await serveOwned(lab.core, { version: '0.1.0', onTcpError: (error) => tcpErrors.push(error.message) })
  let stopped: Promise<void> | null = null
  const stop = (): Promise<void> => (stopped ??= api.close())
  onTestFinished(stop)
  const { socketPath } = api.address
  const client = await connectTo(socketPath)
  if (!client) throw new Error('nobody there')
  onTestFinished(() => client.close())
  return { lab, client, socketPath, stop, tcpErrors }
}
const post = (socketPath: string, name: string, input: object) => ask({ socketPath, path: `/v1/${name}`, body: JSON.stringify(input) })

test('a machine is created, started, watched and typed to over HTTP', async () => {
  const { socketPath, client } = await serve()
  const events: Event[] = []
  await client.follow((event) => events.push(event))
  const done = async (name: string, input: object): Promise<Task> => {
    const begun = await post(socketPath, name, input)
    expect(begun.status).toBe(202)
    return (await post(socketPath, 'task.wait', begun.json() as object)).json() as Task
  }
  expect((await done('machine.create', { name: 'lab1', memory: '256M' })).state.kind).toBe('done')
  expect((await done('machine.start', { machine: 'lab1', wait: 'agent' })).state.kind).toBe('done')
  expect((await post(socketPath, 'machine.show', { machine: 'lab1' })).json()).toMatchObject({ state: { kind: 'running' }, agent: true })
  expect((await post(socketPath, 'guest.exec', { machine: 'lab1', command: ['echo', 'ü'] })).json()).toMatchObject({ stdout: 'ü\n', exitCode: 0 })

  const opened = await client.openStream('console', { machine: 'lab1' })
  if (!opened.ok) throw new Error(opened.error.message)
  let printed = ''
  opened.value.on('data', (bytes: Buffer) => (printed += bytes.toString()))
  opened.value.write('echo typed-$((6 * 7))\n')
  await vi.waitFor(() => expect(printed).toContain('typed-42'), 20_000)
  opened.value.destroy()

  expect((await done('machine.stop', { machine: 'lab1', force: true })).state.kind).toBe('done')
  await vi.waitFor(() => expect(events.at(-1)?.kind).toBe('task-changed'))
  expect(events.map((event) => event.sequence)).toEqual(events.map((_, index) => (events[0]?.sequence ?? 0) + index))
  expect(events.flatMap((event) => (event.kind === 'machine-changed' ? [event.machine.state.kind] : []))).toEqual(expect.arrayContaining(['created', 'starting', 'running', 'stopped']))
})

test('errors of the core carry their status', async () => {
  const { socketPath } = await serve()
  expect((await post(socketPath, 'machine.show', { machine: 'none' })).status).toBe(404)
  await post(socketPath, 'task.wait', (await post(socketPath, 'machine.create', { name: 'a', source: 'none', disk: 0 })).json() as object)
  expect(await post(socketPath, 'machine.pause', { machine: 'a' })).toMatchObject({ status: 409 })
  expect((await post(socketPath, 'machine.create', { name: 'a', cpus: 0 })).json()).toMatchObject({ code: 'bad-input', field: 'cpus' })
  expect((await ask({ socketPath, path: '/v1/streams/display?input=%7B%22machine%22%3A%22a%22%7D', headers: { Connection: 'Upgrade', Upgrade: 'strata-stream' } })).status).toBe(409)
})

test('a path that means something only where it was typed is refused, naming its field', async () => {
  const { socketPath } = await serve()
  for (const [name, input, field] of [
    ['image.import', { path: 'disk.raw' }, 'path'],
    ['image.import', { path: './disk.raw' }, 'path'],
    ['image.import', { path: '~/disk.raw' }, 'path'],
    ['image.import', { path: '' }, 'path'],
    ['machine.screenshot', { machine: 'a', file: 'shot.png' }, 'file']
  ] as const) {
    const answer = await post(socketPath, name, input)
    expect({ status: answer.status, ...(answer.json() as object) }).toMatchObject({ status: 400, code: 'bad-input', field })
  }
})

test('loopback TCP follows the settings, and says why it could not', async () => {
  const { lab, tcpErrors } = await serve()
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const { port } = taken.address() as { port: number }
  await lab.call('settings.edit', { apiTcp: true, apiPort: port })
  await vi.waitFor(() => expect(tcpErrors).toHaveLength(1))
  expect((await lab.call('api.show', {})).tcp).toEqual({ enabled: false, reason: `Port ${port} of 127.0.0.1 is in use by another program.` })
  await new Promise((resolve) => taken.close(resolve))
  await lab.call('settings.edit', { apiTcp: false })
  await lab.call('settings.edit', { apiTcp: true })
  await vi.waitFor(async () => expect((await lab.call('api.show', {})).tcp).toMatchObject({ enabled: true, url: `http://127.0.0.1:${port}` }))
  await lab.call('settings.edit', { apiTcp: false })
  await vi.waitFor(async () => expect((await lab.call('api.show', {})).tcp.enabled).toBe(false))
})

test('another process uses the core as its own, and learns when the owner has gone', async () => {
  const { lab, stop } = await serve()
  let lost = 0
  const core = await connectOwner(() => (lost += 1), lab.environment)
  const second = await connectOwner(() => expect.fail('it had taken leave'), lab.environment)
  expect(core.owner).toBe(lab.core.owner)
  const seen: Event[] = []
  core.onEvent((event) => seen.push(event))
  await lab.done('machine.create', { name: 'a', source: 'none', disk: 0 })
  const listed = await core.call('machine.list', {})
  expect(listed.ok && (listed.value as Machine[]).map((machine) => machine.name)).toEqual(['a'])
  expect(seen.some((event) => event.kind === 'machine-changed')).toBe(true)
  await second.close()
  await stop()
  await vi.waitFor(() => expect(lost).toBe(1))
  expect(await core.call('machine.list', {})).toMatchObject({ ok: false, error: { code: 'connection-lost', peer: 'owner' } })
})

test('a library whose owner serves nothing is refused after a while', async () => {
  const lab = await openLab()
  expect((await failureOf('library-owned', connectOwner(() => {}, lab.environment))).library).toContain('library')
})
