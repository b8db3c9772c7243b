import { execFileSync } from 'node:child_process'
import { PassThrough, type Duplex } from 'node:stream'
import { expect, onTestFinished, test, vi } from 'vitest'
import { serveApi } from '../../electron/server/api'
import { coreDouble, machine } from '../support/core-double'
import { builtStrata, makeHome } from '../support/strata'
import { onTerminal } from '../support/terminal'

// What the program does on a terminal: colours, progress, raw keys, and a terminal that is left as it was found.
const strata = builtStrata()

async function serve() {
  const core = coreDouble()
  const home = makeHome()
  const api = await serveApi(core, { socketPath: home.ownerSocket, version: '0.1.0', limits: { drainMs: 0 } })
  onTestFinished(() => api.close())
  const { NO_COLOR: _, ...environment } = home.environment
  const given = { ...environment, TERM: 'xterm-256color' }
  return {
    core,
    environment: given,
    strata: (...words: string[]) => onTerminal(process.execPath, [strata.program, ...words], given),
    /** In a shell that tells afterwards how the terminal is. */
    inShell: (line: string) => onTerminal('bash', ['-c', `strata() { ${process.execPath} ${strata.program} "$@"; }; ${line}; echo "ended with $?"; stty -a`], given)
  }
}

/** A console that answers every line it is sent. */
function echoing(core: ReturnType<typeof coreDouble>) {
  const opened: Duplex[] = []
  const typed: string[] = []
  core.answer('console.log', () => ({ text: '', totalBytes: 0 }))
  core.stream(() => {
    const stream = new PassThrough({ transform: (chunk: Buffer, _encoding, done) => done(null, (typed.push(chunk.toString()), Buffer.from(`<${chunk.toString().trim()}>`))) })
    opened.push(stream)
    return stream
  })
  return { typed, opened: () => vi.waitFor(() => opened[0] ?? expect.fail('not opened'), 10_000) }
}
const ESCAPE = String.fromCharCode(27)
const COOKED = /[^-]icanon.*[^-]echo /s

test('states are coloured, unless NO_COLOR asks for none', async () => {
  const { strata: begin, environment } = await serve()
  const coloured = begin('machine', 'list')
  await coloured.ended
  expect(coloured.shown).toContain('\x1b[32mrunning\x1b[39m')
  const plain = onTerminal(process.execPath, [strata.program, 'machine', 'list'], { ...environment, NO_COLOR: '1' })
  await plain.ended
  expect(plain.shown).toContain('running')
  expect(plain.shown).not.toContain('\x1b[')
})

test('a task’s progress is one line that is rewritten, and gone at the end', async () => {
  const { core, strata: begin } = await serve()
  const task = core.startTask('machine.start', 'Start lab1')
  core.answer('machine.start', () => ({ taskId: task.id }))
  const terminal = begin('machine', 'start', 'lab1')
  await terminal.see('Start lab1')
  await vi.waitFor(() => expect(core.listeners).toBe(1))
  await vi.waitFor(() => {
    task.progress(0.5, 'waiting for the guest agent')
    expect(terminal.shown).toContain('[##########----------]  50 %  waiting for the guest agent')
  }, 5000)
  task.end({ kind: 'done', result: machine('lab1') })
  expect((await terminal.ended).code).toBe(0)
  expect(terminal.shown).toMatch(new RegExp('\r' + ESCAPE + '\\[Klab1 is .*running.*\\.\r\n$'))
  expect(terminal.shown.split('\n')).toHaveLength(2)
})

test('Ctrl+C on the terminal cancels the task', async () => {
  const { core, strata: begin } = await serve()
  const task = core.startTask('machine.start', 'Start lab1')
  core.answer('machine.start', () => ({ taskId: task.id }))
  const terminal = begin('machine', 'start', 'lab1')
  await vi.waitFor(() => expect(core.calls.map((call) => call.name)).toContain('task.wait'), 10_000)
  terminal.type('\x03')
  expect((await terminal.ended).code).toBe(1)
  expect(terminal.shown).toContain('“Start lab1” was cancelled')
})

test('the console takes every key but Ctrl+], and leaves the terminal as it was', async () => {
  const { core, inShell } = await serve()
  const { typed } = echoing(core)
  const terminal = inShell('strata console lab1')
  await terminal.see('Console of lab1. Ctrl+] leaves.')
  terminal.type('ls\r')
  await terminal.see('<ls>')
  terminal.type('\x03\x04\x1a\x1b[A')
  await vi.waitFor(() => expect(typed.join('')).toBe('ls\r\x03\x04\x1a\x1b[A'))
  terminal.type('poweroff\r\x1dnot this')
  await terminal.see('ended with 0')
  expect(terminal.shown).toContain('Left the console of lab1. It runs on.')
  expect(typed.join('')).toBe('ls\r\x03\x04\x1a\x1b[Apoweroff\r')
  await terminal.ended
  expect(terminal.shown).toMatch(COOKED)
})

test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)('the terminal is put back when the console is ended by %s', async (signal) => {
  const { core, inShell } = await serve()
  const { opened } = echoing(core)
  const terminal = inShell('strata console lab1')
  await opened()
  await terminal.see('Ctrl+] leaves')
  const child = execFileSync('pgrep', ['--parent', String(terminal.pid)]).toString().trim()
  process.kill(Number(child), signal)
  await terminal.see(/ended with (129|130|143)/)
  await terminal.ended
  expect(terminal.shown).toMatch(COOKED)
})

test('the console ends with its machine, and the terminal is put back', async () => {
  const { core, inShell } = await serve()
  const { opened } = echoing(core)
  const terminal = inShell('strata console lab1')
  await terminal.see('Ctrl+] leaves')
  core.answer('machine.show', () => machine('lab1', { kind: 'stopped', exit: { atMs: 0, reason: 'The guest powered off.', exitCode: 0, signal: null, log: [] } }))
  ;(await opened()).destroy()
  await terminal.see('lab1 is stopped.')
  await terminal.ended
  expect(terminal.shown).toMatch(COOKED)
})

test('a picture is not poured onto a terminal', async () => {
  const { strata: begin } = await serve()
  const terminal = begin('machine', 'screenshot', 'lab1')
  expect((await terminal.ended).code).toBe(2)
  expect(terminal.shown).toContain('--file')
})
