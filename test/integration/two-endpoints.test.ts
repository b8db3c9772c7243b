import { existsSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { serveOwned } from '../../electron/server/owned'
import { printKernel } from '../support/kernel'
import { openLab, until } from '../support/lab'

interface Answer {
  status: number
  body: { pid: number; port: number; message: string; code: string; field: string }
}

// POST /snapshot and POST /create as a plain HTTP client sees them.
test('a machine boots a kernel, is saved in two files, and another one goes on from them', async () => {
  const lab = await openLab()
  const serving = async () => {
    const api = await serveOwned(lab.core, { version: '0.1.0' })
    onTestFinished(() => api.close())
    return api
  }
  const api = await serving()
  await lab.call('settings.edit', { apiTcp: true, apiPort: 20_000 + (process.pid % 10_000) })
  await until(lab, async () => (await lab.call('api.show', {})).tcp.enabled)
  const { tcp } = await lab.call('api.show', {})
  if (!tcp.enabled) throw new Error(tcp.reason)
  const token = (await readFile(tcp.tokenFile, 'utf8')).trim()
  const post = async (url: string, body: object, headers: Record<string, string> = { Authorization: `Bearer ${token}` }): Promise<Answer> => {
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: response.status, body: (await response.json()) as Answer['body'] }
  }
  const two = { cpu_snapshot_path: join(lab.home, 'cpu'), memory_snapshot_path: join(lab.home, 'memory') }
  const kernel_path = join(lab.home, 'kernel')
  writeFileSync(kernel_path, printKernel('it runs'))

  const booted = await post(`${tcp.url}/create`, { ...two, kernel_path, resume: false })
  expect(booted).toMatchObject({ status: 200, body: { pid: expect.any(Number) as number, port: expect.any(Number) as number } })
  const { pid, port } = booted.body
  const printed = async (at: number): Promise<string> => JSON.stringify((await post(`http://127.0.0.1:${at}/v1/console.log`, {})).body)
  await until(lab, async () => (await printed(port)).includes('it runs'), 60_000)

  expect((await post(`${tcp.url}/snapshot`, { ...two, rpc_port: port, resume: true })).body.message).toContain('saved')
  expect(statSync(two.memory_snapshot_path).size).toBe(256 * 2 ** 20)
  expect(await lab.call('snapshot.list', {})).toEqual([])
  const restored = await post(`${tcp.url}/create`, { ...two, kernel_path, resume: true })
  expect(restored.status).toBe(200)
  expect(restored.body.pid).not.toBe(pid)
  expect((await post(`http://127.0.0.1:${restored.body.port}/v1/machine.show`, {})).body).toMatchObject({ name: 'vm-1-1', state: { kind: 'running', pid: restored.body.pid } })

  // The machines run on without their owner, and keep their ports.
  await api.close()
  await lab.reopen()
  await serving()
  expect((await post(`http://127.0.0.1:${port}/v1/machine.show`, {})).body).toMatchObject({ name: 'vm-1' })
  expect((await post(`${tcp.url}/snapshot`, { ...two, rpc_port: restored.body.port, resume: false })).status).toBe(200)
  expect((await lab.machine('vm-1-1')).state.kind).toBe('stopped')
  expect((await lab.machine('vm-1')).state.kind).toBe('running')

  expect(await post(`${tcp.url}/snapshot`, { ...two, rpc_port: restored.body.port, resume: true })).toMatchObject({ status: 404, body: { code: 'not-found' } })
  expect(await post(`${tcp.url}/snapshot`, { ...two, rpc_port: port })).toMatchObject({ status: 400, body: { field: 'resume' } })
  expect(await post(`${tcp.url}/create`, { resume: false })).toMatchObject({ status: 400, body: { field: 'kernel_path' } })
  expect(await post(`${tcp.url}/create`, { resume: true })).toMatchObject({ status: 400, body: { field: 'cpu_snapshot_path' } })
  expect((await post(`${tcp.url}/create`, { ...two, kernel_path, resume: true }, {})).status).toBe(401)
  expect((await post(`http://127.0.0.1:${port}/v1/machine.show`, {}, {})).status).toBe(401)
  truncateSync(two.memory_snapshot_path, 2 ** 20)
  expect(await post(`${tcp.url}/create`, { ...two, kernel_path, resume: true })).toMatchObject({ status: 422, body: { code: 'bad-file' } })
  expect((await lab.call('machine.list', {})).map((machine) => machine.name)).toEqual(['vm-1', 'vm-1-1'])
  expect(existsSync(`${two.cpu_snapshot_path}.part`)).toBe(false)
})
