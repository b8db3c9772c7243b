import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Machine, Task } from '#contract'
import { ask } from '../support/http'
import { GUEST } from '../support/lab'
import { builtStrata, makeHome, run, start, type Ended, type Home, type Running } from '../support/strata'

// The built program with the real core and real QEMU: who owns the library, and what happens when owners come and go.
const strata = builtStrata()

interface Lab {
  home: Home
  /** Runs a command to its end. */
  strata: (...words: string[]) => Promise<Ended>
  /** Runs one that has to succeed, and answers its JSON. */
  json: <T>(...words: string[]) => Promise<T>
  begin: (...words: string[]) => Running
  /** `strata serve`, once it serves. */
  serve: () => Promise<Running>
}
function openLab(): Lab {
  const home = makeHome()
  const environment = { ...home.environment, STRATA_GUEST: GUEST }
  const lab: Lab = {
    home,
    strata: (...words) => run(strata.program, words, environment),
    begin: (...words) => start(strata.program, words, environment),
    async json<T>(...words: string[]) {
      const { code, out, error } = await lab.strata(...words, '--json')
      if (code !== 0) throw new Error(`${words.join(' ')}: ${error}`)
      return JSON.parse(out) as T
    },
    async serve() {
      const serving = lab.begin('serve')
      await vi.waitFor(() => expect(serving.out).toContain('Ctrl+C ends it'), 20_000)
      return serving
    }
  }
  onTestFinished(async () => {
    const machines = await lab.json<Machine[]>('machine', 'list')
    for (const machine of machines.filter((one) => 'pid' in one.state)) await lab.strata('machine', 'stop', machine.name, '--force')
  })
  return lab
}
/** A machine without a system: it runs, and does not listen to being asked to stop. */
const deaf = async (lab: Lab, name = 'deaf'): Promise<void> => {
  await lab.json('machine', 'create', name, '--source', 'none', '--disk', '8M', '--memory', '64M', '--network', 'none')
  await lab.json('machine', 'start', name)
}

test('without an owner each command opens the library for itself; machines run on between them', async () => {
  const lab = openLab()
  expect(await lab.strata('machine', 'list')).toMatchObject({ code: 0, out: '', error: 'There are no machines. Create one: strata machine create lab1\n' })
  await deaf(lab)
  expect((await lab.strata('machine', 'list')).out).toMatch(/^deaf +running +\d+ +64 MiB/m)
  expect((await lab.strata('monitor', 'deaf', 'info status')).out).toBe('VM status: running\n')
  expect(await lab.json('qmp', 'deaf', 'query-status')).toMatchObject({ return: { status: 'running' } })
  expect((await lab.strata('machine', 'stop', 'deaf', '--force')).out).toBe('deaf is stopped.\n')
  expect(existsSync(lab.home.ownerSocket)).toBe(false)
})

test('the built-in guest, from its creation to its console and its end, by commands alone', async () => {
  const lab = openLab()
  expect((await lab.strata('machine', 'create', 'lab 1', '--memory', '256M', '--cpus', '2')).out).toBe("Created lab 1. Start it: strata machine start 'lab 1'\n")
  expect((await lab.strata('machine', 'start', 'lab 1', '--wait', 'agent')).out).toBe('lab 1 is running.\n')
  expect(await lab.strata('guest', 'exec', 'lab 1', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7')).toMatchObject({ code: 7, out: 'out\n', error: 'err\n' })
  expect((await run(strata.program, ['guest', 'exec', 'lab 1', '--input', '-', 'cat'], { ...lab.home.environment }, 'grüße\n')).out).toBe('grüße\n')
  const console_ = lab.begin('console', 'lab 1')
  console_.child.stdin.end('echo from-$((40 + 2))\n')
  await vi.waitFor(() => expect(console_.out).toContain('from-42'), 20_000)
  console_.child.kill('SIGINT')
  expect((await console_.ended).code).toBe(130)
  expect(await lab.strata('machine', 'stop', 'lab 1')).toMatchObject({ code: 0, out: 'lab 1 is stopped.\n' })
  expect((await lab.strata('console', 'log', 'lab 1')).out).toContain('from-42')
})

test('commands at the same moment all get through, one after the other or by the one that came first', async () => {
  const lab = openLab()
  const names = ['a', 'b', 'c', 'd', 'e']
  const ended = await Promise.all(names.map((name) => lab.strata('machine', 'create', name, '--source', 'none', '--disk', '1M')))
  expect(ended.map(({ code, error }) => ({ code, error }))).toEqual(names.map(() => ({ code: 0, error: '' })))
  expect((await lab.json<Machine[]>('machine', 'list')).map((machine) => machine.name).sort()).toEqual(names)
})

test('a command that works for long is talked to by the others', async () => {
  const lab = openLab()
  await deaf(lab)
  const stopping = lab.begin('machine', 'stop', 'deaf', '--timeout-seconds', '600')
  let task: Task | undefined
  await vi.waitFor(async () => {
    task = (await lab.json<Task[]>('task', 'list')).find((one) => one.operation === 'machine.stop' && one.state.kind === 'running')
    expect(task).toBeDefined()
  }, 20_000)
  expect((await lab.json<Machine>('machine', 'show', 'deaf')).state.kind).toBe('stopping')
  await lab.strata('task', 'cancel', task?.id ?? '')
  expect(await stopping.ended).toMatchObject({ code: 1, error: expect.stringContaining('was cancelled') as unknown })
})

test('a command whose work is done waits for what others have begun in it', async () => {
  const lab = openLab()
  await deaf(lab)
  const owner = lab.begin('events')
  await vi.waitFor(() => expect(existsSync(lab.home.ownerSocket)).toBe(true), 20_000)
  const stopping = lab.begin('machine', 'stop', 'deaf', '--timeout-seconds', '2')
  await vi.waitFor(() => expect(owner.out).toContain('machine.stop'), 20_000)
  owner.child.kill('SIGINT')
  await owner.ended
  expect(owner.error).toContain('Waiting for what others have begun here: Stop deaf. Ctrl+C does not wait.')
  expect(await stopping.ended).toMatchObject({ code: 1, error: expect.stringContaining('deaf') as unknown })
})

test('--detach is refused where nobody would go on, and works where somebody does', async () => {
  const lab = openLab()
  await deaf(lab)
  expect(await lab.strata('machine', 'stop', 'deaf', '--detach')).toMatchObject({ code: 2, error: expect.stringContaining('No other Strata runs') as unknown })
  expect((await lab.json<Machine>('machine', 'show', 'deaf')).state.kind).toBe('running')
  await lab.serve()
  const { taskId } = await lab.json<{ taskId: string }>('machine', 'stop', 'deaf', '--force', '--detach')
  expect((await lab.json<Task>('task', 'wait', taskId)).state.kind).toBe('done')
})

test('serve owns the library until it is ended, in order', async () => {
  const lab = openLab()
  const serving = await lab.serve()
  expect(serving.out).toContain(`serves ${lab.home.library}`)
  expect((await ask({ socketPath: lab.home.ownerSocket, path: '/v1/owner' })).json()).toMatchObject({ pid: serving.child.pid })
  expect(await lab.strata('serve')).toMatchObject({ code: 1, error: expect.stringContaining('in use by another Strata process') as unknown })
  serving.child.kill('SIGTERM')
  expect((await serving.ended).code).toBe(0)
  expect(existsSync(lab.home.ownerSocket)).toBe(false)
  expect((await lab.strata('machine', 'list')).code).toBe(0)
})

test('serve listens on TCP as the settings say, with the token in its file', async () => {
  const lab = openLab()
  const serving = await lab.serve()
  expect(serving.out).toContain('HTTP: off')
  const port = await freePort()
  await lab.json('settings', 'edit', '--api-tcp', '--api-port', String(port))
  await vi.waitFor(() => expect(serving.error).toContain(`HTTP: http://127.0.0.1:${port}`))
  const shown = await lab.json<{ tcp: { url: string; tokenFile: string } }>('api', 'show')
  expect(shown.tcp.url).toBe(`http://127.0.0.1:${port}`)
  const token = readFileSync(shown.tcp.tokenFile, 'utf8').trim()
  expect((await ask({ port, path: '/v1/machine.list', body: '{}' })).status).toBe(401)
  expect((await ask({ port, path: '/v1/machine.list', body: '{}', headers: { Authorization: `Bearer ${token}` } })).json()).toEqual([])
  await lab.json('settings', 'edit', '--no-api-tcp')
  await vi.waitFor(() => expect(ask({ port, path: '/v1/owner' })).rejects.toMatchObject({ code: 'ECONNREFUSED' }))
})

test('what a killed owner left behind is in nobody’s way', async () => {
  const lab = openLab()
  const serving = await lab.serve()
  await deaf(lab)
  serving.child.kill('SIGKILL')
  await serving.ended
  expect(existsSync(lab.home.ownerSocket)).toBe(true)
  expect((await lab.json<Machine[]>('machine', 'list')).map(({ state }) => state.kind)).toEqual(['running'])
  expect(existsSync(lab.home.ownerSocket)).toBe(false)
})

test('a file in the socket’s place is replaced', async () => {
  const lab = openLab()
  writeFileSync(lab.home.ownerSocket, '')
  expect((await lab.strata('machine', 'list')).code).toBe(0)
})

test('an owner that dies in the middle of a task: the command says so, and the task is found cut off', async () => {
  const lab = openLab()
  const serving = await lab.serve()
  await deaf(lab)
  const stopping = lab.begin('machine', 'stop', 'deaf', '--timeout-seconds', '600')
  await vi.waitFor(async () => expect((await lab.json<Machine>('machine', 'show', 'deaf')).state.kind).toBe('stopping'), 20_000)
  serving.child.kill('SIGKILL')
  expect(await stopping.ended).toMatchObject({ code: 1, error: expect.stringContaining('was cut off') as unknown })
})

test('an owner that does not answer is named', async () => {
  const lab = openLab()
  // It reads nothing and says nothing; once its client has gone, it lets go.
  const mute = createServer((socket) => void socket.resume()).listen(lab.home.ownerSocket)
  await new Promise((resolve) => mute.once('listening', resolve))
  const { code, error } = await lab.strata('machine', 'list')
  await new Promise((resolve) => mute.close(resolve))
  expect({ code, error }).toMatchObject({ code: 1, error: expect.stringContaining(`“${lab.home.library}” does not answer`) as unknown })
})

test('Ctrl+C during a command that owns the library gives it up in order', async () => {
  const lab = openLab()
  const command = lab.begin('events')
  await vi.waitFor(() => expect(existsSync(lab.home.ownerSocket)).toBe(true), 20_000)
  command.child.kill('SIGINT')
  expect((await command.ended).code).toBe(0)
  expect(existsSync(lab.home.ownerSocket)).toBe(false)
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
