import { connect } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Event } from '#contract'
import { serveApi, type Limits } from '../../../electron/server/api'
import { connectTo } from '../../../electron/server/owner-client'
import { coreDouble, machine } from '../../support/core-double'
import { scratchFolder } from '../../support/scratch'

async function serve(limits: Partial<Limits> = {}) {
  const core = coreDouble()
  const socketPath = join(scratchFolder(), 'owner.sock')
  const api = await serveApi(core, { socketPath, version: '1', limits })
  onTestFinished(() => api.close())
  return { core, api, socketPath }
}

/** The raw text of the feed. */
async function readRaw(socketPath: string) {
  const socket = connect(socketPath, () => socket.write('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n'))
  onTestFinished(() => void socket.destroy())
  let text = ''
  socket.on('data', (data) => (text += data.toString()))
  await vi.waitFor(() => expect(text).toContain(': connected'))
  return { socket, text: () => text }
}

test('events come in order with their sequence as id', async () => {
  const { core, socketPath } = await serve()
  const raw = await readRaw(socketPath)
  core.tell({ kind: 'machine-changed', machine: machine('lab1') })
  core.tell({ kind: 'machine-removed', id: 'a\nb' })
  await vi.waitFor(() => expect(raw.text()).toContain('id: 2'))
  expect(raw.text()).toMatch(/content-type: text\/event-stream/i)
  expect(raw.text()).toContain('id: 2\nevent: machine-removed\ndata: {"kind":"machine-removed","id":"a\\nb","owner":"double","sequence":2}\n\n')
})

test('a client sees everything that happens after it listens, whatever its size and alphabet', async () => {
  const { core, socketPath } = await serve()
  const client = await connectTo(socketPath)
  const seen: Event[] = []
  const following = await client?.follow((event) => seen.push(event))
  const names = ['Übung 1', '試験', 'x'.repeat(200_000)]
  for (const name of names) core.tell({ kind: 'machine-changed', machine: machine('lab1', { kind: 'broken', message: name }) })
  for (let number = 0; number < 1000; number += 1) core.tell({ kind: 'machine-removed', id: String(number) })
  await vi.waitFor(() => expect(seen).toHaveLength(1003))
  expect(seen.map((event) => event.sequence)).toEqual(Array.from({ length: 1003 }, (_, index) => index + 1))
  expect(seen.slice(0, 3).map((event) => event.kind === 'machine-changed' && event.machine.state)).toEqual(names.map((message) => ({ kind: 'broken', message })))
  following?.end()
  await client?.close()
})

test('a heartbeat goes out while nothing happens', async () => {
  const { socketPath } = await serve({ heartbeatMs: 20 })
  const raw = await readRaw(socketPath)
  await vi.waitFor(() => expect(raw.text()).toContain(': still here'))
})

test('a reader that stops reading is cut off, the others read on', async () => {
  const { core, socketPath } = await serve({ eventBacklogBytes: 100_000 })
  const stuck = await readRaw(socketPath)
  stuck.socket.pause()
  const quick = await readRaw(socketPath)
  const state = { kind: 'broken', message: 'x'.repeat(50_000) } as const
  // As much as the kernel's buffers take comes first; then the limit counts.
  for (let number = 1; number <= 60; number += 1) {
    core.tell({ kind: 'machine-changed', machine: machine('lab1', state) })
    await vi.waitFor(() => expect(quick.text()).toContain(`id: ${number}\n`))
  }
  const cut = new Promise((resolve) => stuck.socket.once('close', resolve))
  stuck.socket.resume()
  await cut
  expect(stuck.text()).not.toContain('id: 60\n')
  expect(quick.socket.closed).toBe(false)
})

test('the core is only listened to while somebody reads', async () => {
  const { core, socketPath } = await serve()
  expect(core.listeners).toBe(0)
  const readers = await Promise.all([readRaw(socketPath), readRaw(socketPath)])
  expect(core.listeners).toBe(1)
  for (const { socket } of readers) socket.destroy()
  await vi.waitFor(() => expect(core.listeners).toBe(0))
})

test('a client learns that its owner has gone', async () => {
  const { api, socketPath } = await serve()
  const client = await connectTo(socketPath)
  const following = await client?.follow(() => {})
  await api.close()
  await following?.ended
  expect(await client?.attempt('machine.list', {})).toEqual({ kind: 'not-taken' })
})
