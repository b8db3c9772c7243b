import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { Duplex, PassThrough } from 'node:stream'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { failure, type Event } from '#contract'
import { serveApi, type Api } from '../../electron/server/api'
import { coreDouble, machine, type CoreDouble } from '../support/core-double'
import { builtStrata, makeHome, run, start, type Home } from '../support/strata'

// The built program against a core that answers what the test says. Real machines: cli-owner.test.ts.
const strata = builtStrata()
const VERSION = '0.1.0'

interface Served {
  core: CoreDouble
  home: Home
  api: Api
  strata: (...words: string[]) => ReturnType<typeof run>
  begin: (...words: string[]) => ReturnType<typeof start>
}
async function serve(): Promise<Served> {
  const core = coreDouble()
  const home = makeHome()
  const api = await serveApi(core, { socketPath: home.ownerSocket, version: VERSION, limits: { drainMs: 0 } })
  onTestFinished(() => api.close())
  return { core, home, api, strata: (...words) => run(strata.program, words, home.environment), begin: (...words) => start(strata.program, words, home.environment) }
}

test('a command is run by the process that owns the library', async () => {
  const { core, strata } = await serve()
  const { code, out, error } = await strata('machine', 'list', '--tag', 'os')
  expect({ code, error }).toEqual({ code: 0, error: '' })
  expect(out).toMatch(/^NAME +STATE .*\nlab1 +running .*\n$/)
  expect(core.calls).toEqual([{ name: 'machine.list', input: { tag: 'os' } }])
})

test('--json prints exactly one document', async () => {
  const { strata } = await serve()
  const { code, out, error } = await strata('--json', 'machine', 'show', 'lab1')
  expect({ code, error }).toEqual({ code: 0, error: '' })
  expect(JSON.parse(out)).toMatchObject({ name: 'lab1' })
})

test('names with spaces and of any script, in the C locale', async () => {
  const { home } = await serve()
  const environment = { ...home.environment, LANG: 'C', LC_ALL: 'C' }
  const { out } = await run(strata.program, ['machine', 'show', '試験 ü 1'], environment)
  expect(out).toContain('試験 ü 1\n')
})

describe('errors', () => {
  test('go to the error output with the next step; exit code 1', async () => {
    const { core, strata } = await serve()
    core.answer('machine.pause', () => {
      throw failure('wrong-state', '“lab1” does not run.', { name: 'lab1', state: 'stopped', next: 'Start it first.', cause: 'QMP said no' })
    })
    expect(await strata('machine', 'pause', 'lab1')).toMatchObject({ code: 1, out: '', error: 'strata: “lab1” does not run.\nStart it first.\n--verbose tells what caused it.\n' })
    expect((await strata('machine', 'pause', 'lab1', '--verbose')).error).toContain('  QMP said no')
    const json = await strata('machine', 'pause', 'lab1', '--json')
    expect({ ...json, error: JSON.parse(json.error) as unknown }).toMatchObject({ code: 1, out: '', error: { code: 'wrong-state', state: 'stopped', causes: ['QMP said no'] } })
  })

  test('of typing end with exit code 2 and one line that names what is wrong', async () => {
    const { core, strata } = await serve()
    expect(await strata('machine', 'lst')).toMatchObject({ code: 2, out: '', error: 'strata: strata machine has no “lst”.\nDid you mean strata machine list?\n' })
    expect(JSON.parse((await strata('machine', 'show', 'a', '--jsn', '--json')).error)).toMatchObject({ code: 'bad-input', field: '--jsn' })
    expect(JSON.parse((await strata('--json', 'nonsense')).error)).toMatchObject({ code: 'unknown-operation', operation: 'nonsense' })
    expect(core.calls).toEqual([])
  })

  test('of the schema name the flag that was typed', async () => {
    const { strata } = await serve()
    const { code, error } = await strata('machine', 'create', 'lab1', '--forward', 'tcp:22:22', '--forward', 'nonsense')
    expect({ code, error }).toMatchObject({ code: 2, error: expect.stringContaining('--forward cannot be used: "nonsense" is not a port forward') as unknown })
    expect(await strata('machine', 'create', 'bad/name')).toMatchObject({ code: 2, error: expect.stringContaining('<name> cannot be used') as unknown })
  })
})

describe('guest exec', () => {
  test('prints what the program printed and ends as it did', async () => {
    const { core, strata } = await serve()
    core.answer('guest.exec', (input) => ({ exitCode: 3, signal: null, stdout: input.command.join('|'), stderr: 'oh', truncated: false }))
    expect(await strata('guest', 'exec', 'lab1', '--', 'uname', '-a', '--json')).toMatchObject({ code: 3, out: 'uname|-a|--json', error: 'oh' })
  })

  test('a program ended by a signal', async () => {
    const { core, strata } = await serve()
    core.answer('guest.exec', () => ({ exitCode: null, signal: 9, stdout: '', stderr: '', truncated: false }))
    expect(await strata('guest', 'exec', 'lab1', 'x')).toMatchObject({ code: 137, error: expect.stringContaining('signal 9') as unknown })
  })

  test('passes standard input on when asked to', async () => {
    const { core, home } = await serve()
    core.answer('guest.exec', (input) => ({ exitCode: 0, signal: null, stdout: String(input.input), stderr: '', truncated: false }))
    expect((await run(strata.program, ['guest', 'exec', 'lab1', '--input', '-', 'cat'], home.environment, 'zeile ü')).out).toBe('zeile ü')
  })
})

describe('long operations', () => {
  const starting = (core: CoreDouble) => {
    const tasks: ReturnType<CoreDouble['startTask']>[] = []
    core.answer('machine.start', (input) => {
      const task = core.startTask('machine.start', `Start ${input.machine}`)
      tasks.push(task)
      return { taskId: task.id }
    })
    return { begun: () => vi.waitFor(() => tasks[0] ?? expect.fail('not begun'), 10_000), waited: () => vi.waitFor(() => expect(core.calls.map((call) => call.name)).toContain('task.wait'), 10_000) }
  }

  test('are waited for, and their result is shown', async () => {
    const { core, begin } = await serve()
    const { begun } = starting(core)
    const command = begin('machine', 'start', 'lab1')
    ;(await begun()).end({ kind: 'done', result: machine('lab1') })
    expect(await command.ended).toMatchObject({ code: 0, out: 'lab1 is running.\n', error: '' })
  })

  test('tell what they do with --verbose', async () => {
    const { core, begin } = await serve()
    const { begun, waited } = starting(core)
    const command = begin('machine', 'start', 'lab1', '--verbose')
    const task = await begun()
    await waited()
    for (const phase of ['starting QEMU', 'waiting for the guest agent']) task.progress(0.5, phase)
    task.end({ kind: 'done', result: machine('lab1') })
    expect(await command.ended).toMatchObject({ code: 0, error: '  starting QEMU\n  waiting for the guest agent\n' })
  })

  test('say nothing beside the JSON', async () => {
    const { core, begin } = await serve()
    const { begun, waited } = starting(core)
    const command = begin('machine', 'start', 'lab1', '--verbose', '--json')
    const task = await begun()
    await waited()
    task.progress(0.5, 'starting QEMU')
    task.end({ kind: 'done', result: machine('lab1') })
    const { out, error } = await command.ended
    expect([JSON.parse(out), error]).toMatchObject([{ name: 'lab1' }, ''])
  })

  test.each([
    [{ kind: 'failed', error: { code: 'time-out', message: 'Too late.', waitedMs: 1, causes: [] } }, 'strata: Too late.\n'],
    [{ kind: 'cancelled' }, 'strata: “Start lab1” was cancelled; what it had done is undone.\n'],
    [{ kind: 'interrupted' }, 'strata: “Start lab1” was cut off: the Strata that ran it ended. What it had begun is cleaned up.\nRun it again.\n']
  ] as const)('that do not succeed say why: %j', async (state, error) => {
    const { core, begin } = await serve()
    const { begun } = starting(core)
    const command = begin('machine', 'start', 'lab1')
    ;(await begun()).end(state.kind === 'failed' ? { ...state, error: { ...state.error, causes: [] } } : { ...state })
    expect(await command.ended).toMatchObject({ code: 1, out: '', error })
  })

  test('--detach prints the task and leaves it', async () => {
    const { core, strata } = await serve()
    starting(core)
    expect(await strata('machine', 'start', 'lab1', '--detach')).toMatchObject({ code: 0, out: 't1\n' })
    expect(JSON.parse((await strata('machine', 'start', 'lab1', '--detach', '--json')).out)).toEqual({ taskId: 't2' })
    expect((await strata('task', 'list')).out).toMatch(/^ID +STATE +DONE +STARTED +TASK\nt1 +running +0 % +\d+ s ago +Start lab1\n/)
  })

  test('Ctrl+C cancels, and a second one does not wait', async () => {
    const { core, begin } = await serve()
    const { begun, waited } = starting(core)
    const first = begin('machine', 'start', 'lab1')
    await begun()
    await waited()
    first.child.kill('SIGINT')
    expect(await first.ended).toMatchObject({ code: 1, error: expect.stringMatching(/Cancelling.*\n.*was cancelled/) as unknown })

    const stubborn = core.startTask('machine.start', 'Start lab2')
    stubborn.onCancel(() => {})
    core.answer('machine.start', () => ({ taskId: stubborn.id }))
    core.calls.length = 0
    const second = begin('machine', 'start', 'lab2')
    await waited()
    second.child.kill('SIGINT')
    await vi.waitFor(() => expect(second.error).toContain('Cancelling'))
    second.child.kill('SIGINT')
    expect(await second.ended).toMatchObject({ code: 130, error: expect.stringContaining('Left task t2') as unknown })
  })

  test('task wait tells by its exit code how the task ended; Ctrl+C ends the waiting only', async () => {
    const { core, strata, begin } = await serve()
    core.startTask('x', 'One').end({ kind: 'done', result: null })
    core.startTask('x', 'Two').end({ kind: 'cancelled' })
    core.startTask('x', 'Three')
    expect((await strata('task', 'wait', 't1')).code).toBe(0)
    const json = await strata('task', 'wait', 't2', '--json')
    expect([json.code, (JSON.parse(json.out) as { id: string }).id]).toEqual([1, 't2'])
    core.calls.length = 0
    const waiting = begin('task', 'wait', 't3')
    await vi.waitFor(() => expect(core.calls.map((call) => call.name)).toContain('task.wait'))
    waiting.child.kill('SIGINT')
    expect((await waiting.ended).code).toBe(130)
    expect(core.calls.map((call) => call.name)).not.toContain('task.cancel')
  })
})

describe('console without a terminal', () => {
  const consoleOf = (core: CoreDouble, printed = '') => {
    core.answer('console.log', () => ({ text: printed.slice(-1), totalBytes: printed.length }))
    const opened: { stream: Duplex; typed: string[]; fromByte: number }[] = []
    core.stream((_name, input) => {
      const typed: string[] = []
      const output = new PassThrough()
      const stream = Duplex.from({ readable: output, writable: new PassThrough().on('data', (data: Buffer) => typed.push(data.toString())) })
      Object.assign(stream, { print: (text: string) => output.write(text) })
      opened.push({ stream, typed, fromByte: (input as { fromByte: number }).fromByte })
      output.write(printed.slice((input as { fromByte: number }).fromByte))
      opened[0]?.stream.once('close', () => output.end())
      return stream
    })
    return { opened, first: () => vi.waitFor(() => opened[0] ?? expect.fail('not opened')) }
  }

  test('is a pipe: input is typed, output goes out, the end of the input is not the end', async () => {
    const { core, begin } = await serve()
    const { first } = consoleOf(core, 'before ')
    const command = begin('console', 'lab1')
    command.child.stdin.end('ls\n')
    const { stream, typed, fromByte } = await first()
    await vi.waitFor(() => expect(typed.join('')).toBe('ls\n'))
    ;(stream as Duplex & { print(text: string): void }).print('file ü\n')
    await vi.waitFor(() => expect(command.out).toBe('file ü\n'))
    expect(fromByte).toBe(7)
    command.child.kill('SIGTERM')
    expect(await command.ended).toMatchObject({ code: 143, error: '' })
  })

  test('begins with the log, or at the start, when asked to', async () => {
    const { core, begin } = await serve()
    const { opened } = consoleOf(core, 'x'.repeat(100_000))
    for (const flag of ['--log', '--from-start']) begin('console', 'lab1', flag)
    await vi.waitFor(() => expect(opened.map((one) => one.fromByte).sort()).toEqual([0, 100_000 - 65_536].sort()))
  })

  test('ends when the machine does', async () => {
    const { core, begin } = await serve()
    const { first } = consoleOf(core)
    const command = begin('console', 'lab1')
    const { stream } = await first()
    core.answer('machine.show', () => machine('lab1', { kind: 'stopped', exit: { atMs: 0, reason: 'The guest powered off.', exitCode: 0, signal: null, log: [] } }))
    stream.destroy()
    expect(await command.ended).toMatchObject({ code: 0, error: 'lab1 is stopped.\n' })
  })

  test('goes on where it was when the owner changes', async () => {
    const { core, home, api, begin } = await serve()
    const { first } = consoleOf(core)
    const command = begin('console', 'lab1')
    const { stream } = await first()
    ;(stream as Duplex & { print(text: string): void }).print('12345')
    await vi.waitFor(() => expect(command.out).toBe('12345'))
    const later = coreDouble('later')
    const { first: again } = consoleOf(later, '12345678')
    const next = await serveApi(later, { socketPath: home.ownerSocket, version: VERSION })
    onTestFinished(() => next.close())
    await api.close()
    expect((await again()).fromByte).toBe(5)
    await vi.waitFor(() => expect(command.out).toBe('12345678'))
  })

  test('a machine that does not run is an error', async () => {
    const { core, strata } = await serve()
    consoleOf(core)
    core.answer('machine.show', () => machine('lab 1', { kind: 'created' }))
    expect(await strata('console', 'lab 1')).toMatchObject({ code: 1, error: expect.stringMatching(/“lab 1” is created.*\n.*strata machine start 'lab 1'/) as unknown })
    core.answer('machine.show', () => machine('lab 1'))
    core.stream(() => {
      throw failure('in-use', 'Somebody else has it.', { what: 'console' })
    })
    expect(await strata('console', 'lab 1')).toMatchObject({ code: 1, error: 'strata: Somebody else has it.\n' })
  })
})

test('events are JSON lines until Ctrl+C', async () => {
  const { core, begin } = await serve()
  const command = begin('events')
  await vi.waitFor(() => expect(core.listeners).toBe(1), 10_000)
  core.tell({ kind: 'machine-changed', machine: machine('試験') })
  core.tell({ kind: 'machine-removed', id: 'x' })
  await vi.waitFor(() => expect(command.out.split('\n')).toHaveLength(3))
  command.child.kill('SIGINT')
  const { code, out } = await command.ended
  expect(code).toBe(0)
  expect(out.trim().split('\n').map((line) => (JSON.parse(line) as Event).sequence)).toEqual([1, 2])
})

test('a reader that has enough is no error', async () => {
  const { core, begin } = await serve()
  core.answer('machine.list', () => Array.from({ length: 2000 }, (_, number) => machine(`lab${number}`)))
  const command = begin('machine', 'list', '--json')
  await once(command.child.stdout, 'data')
  command.child.stdout.destroy()
  expect(await command.ended).toMatchObject({ code: 0, error: '' })
})

test('output that cannot be written is an error', async () => {
  const { home } = await serve()
  const full = openSync('/dev/full', 'w')
  onTestFinished(() => closeSync(full))
  const child = spawn(process.execPath, [strata.program, 'machine', 'list'], { env: home.environment, stdio: ['ignore', full, 'pipe'] })
  let error = ''
  child.stderr?.on('data', (data: Buffer) => (error += data.toString()))
  const [code] = (await once(child, 'close')) as [number]
  expect({ code, error }).toMatchObject({ code: 1, error: expect.stringContaining('could not be written') as unknown })
})

test('an owner of another version is pointed out', async () => {
  const home = makeHome()
  const api = await serveApi(coreDouble(), { socketPath: home.ownerSocket, version: '9.9.9' })
  onTestFinished(() => api.close())
  expect(await run(strata.program, ['machine', 'list'], home.environment)).toMatchObject({ code: 0, error: 'strata: the Strata that owns the library is version 9.9.9, this one is 0.1.0.\n' })
})

test('a picture goes where the output goes', async () => {
  const { core, home } = await serve()
  const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 255])
  core.answer('machine.screenshot', () => ({ widthPixels: 1, heightPixels: 1, file: null, pngBase64: png.toString('base64') }))
  const { stdout } = await promisify(execFile)(process.execPath, [strata.program, 'machine', 'screenshot', 'lab1'], { env: home.environment, encoding: 'buffer' })
  expect(stdout.equals(png)).toBe(true)
})

test('help and version need neither owner nor library', async () => {
  const environment = { ...process.env, STRATA_HOME: '/nonexistent/library', XDG_RUNTIME_DIR: '/nonexistent' }
  for (const words of [[], ['--help'], ['machine'], ['machine', '--help'], ['machine', 'create', '--help'], ['help', 'machine', 'create'], ['monitor', '-h'], ['--version']]) {
    const { code, out, error } = await run(strata.program, words, environment)
    expect({ words, code, error }).toEqual({ words, code: 0, error: '' })
    expect(out).toContain('strata')
  }
})

test('the shell completes commands, flags and machines', async () => {
  const { core, home } = await serve()
  core.answer('machine.list', () => [machine('lab1'), machine('lab two')])
  const complete = async (...words: string[]): Promise<string[]> => {
    const script = `strata() { ${JSON.stringify(process.execPath)} ${JSON.stringify(strata.program)} "$@"; }
      source <(strata completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _strata; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout } = await promisify(execFile)('bash', ['-c', script, 'bash', 'strata', ...words], { env: home.environment })
    return stdout.split('\n').filter(Boolean)
  }
  expect(await complete('mach')).toEqual(['machine'])
  expect(await complete('machine', 're')).toEqual(['rename', 'resume', 'reset', 'remove', 'restore-removed'])
  expect(await complete('machine', 'start', 'l')).toEqual(['lab1', 'lab\\ two'])
  expect(await complete('machine', 'start', 'lab1', '--wait', '')).toEqual(['running', 'agent'])
  expect(await complete('machine', 'stop', 'lab1', '--f')).toEqual(['--force'])
  expect(await complete('guest', 'exec', 'lab1', '--', '')).toEqual([])
})
