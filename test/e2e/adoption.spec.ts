import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '../support/e2e'
import { strata as commandLine } from '../support/e2e-app'

/** Three machines that run and cost little: no guest in two of them. */
const NAMES = ['alpha', 'beta', 'gamma']

test('machines run on when the app quits, and it finds them again', async ({ launch }) => {
  const first = await launch()
  await first.createMachine('stays')
  const { state } = await first.startMachine('stays')
  const pid = 'pid' in state ? state.pid : 0
  await first.open('stays', 'Console')
  await first.typeLine('console', 'echo before-""quit')
  await expect(first.terminal('console')).toContainText('before-quit')
  await first.quit()

  const second = await launch()
  await expect(second.row('stays')).toContainText('Running')
  expect((await second.need('machine.show', { machine: 'stays' })).state).toMatchObject({ kind: 'running', pid })
  await second.open('stays', 'Console')
  await expect(second.terminal('console')).toContainText('before-quit')
  await second.typeLine('console', 'echo after-""start')
  await expect(second.terminal('console')).toContainText('after-start')
})

test('killed with three machines running, the next start lists them at once and is in control of them', async ({ launch }) => {
  const first = await launch()
  for (const name of NAMES) await first.createMachine(name, name === 'alpha' ? {} : { source: 'none', disk: '0', memory: '64M' })
  for (const name of NAMES) await first.startMachine(name, name === 'alpha' ? 'agent' : 'running')
  await first.kill()

  const second = await launch()
  const sinceStartMs = await second.page.evaluate(async () => {
    const listed = await window.strata.call('machine.list', {})
    const running = listed.ok ? listed.value.filter(({ state }) => state.kind === 'running').length : 0
    if (running !== 3) throw new Error(JSON.stringify(listed))
    return performance.now()
  })
  // Since the page began to load, on two busy processors and while the test records. `npm run bench launch` measures the second it may take.
  expect(sinceStartMs).toBeLessThan(3000)
  for (const name of NAMES) await expect(second.row(name)).toContainText('Running')
  await second.open('alpha', 'Console')
  await second.typeLine('console', 'echo in-""control')
  await expect(second.terminal('console')).toContainText('in-control')
  await second.open('beta', 'Monitor')
  await expect(second.terminal('monitor')).toContainText('(qemu)')
  await second.typeLine('monitor', 'info name')
  await expect(second.terminal('monitor')).toContainText('beta')
  await second.done('machine.stop', { machine: 'gamma', force: true })
  await expect(second.row('gamma')).toContainText(/Off|Stopped/)
})

test('a machine holds nothing of the app that started it', async ({ launch, home }) => {
  const strata = await launch()
  await strata.createMachine('apart', { source: 'none', disk: '0', memory: '64M' })
  const { state } = await strata.startMachine('apart', 'running')
  if (!('pid' in state)) throw new Error('it does not run')
  const folder = `/proc/${state.pid}/fd`
  const held = readdirSync(folder).map((fd) => readlinkSync(join(folder, fd)))
  expect(held.filter((path) => /profile|chromium|\.pak$|\.asar$/i.test(path))).toEqual([])
  expect(held.some((path) => path.startsWith(home.library))).toBe(true)
})

test('a second start brings the window to the front instead of opening another', async ({ launch }) => {
  const first = await launch()
  await first.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.minimize())
  const second = await commandLineStart(first.home.env, first.home.folder)
  expect(second).toBe(0)
  await expect.poll(() => first.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().map((window) => window.isMinimized()))).toEqual([false])
})

test('with strata serve in charge the window is its client, and takes over when it ends', async ({ launch, home }) => {
  const { spawn } = await import('node:child_process')
  const { TOP } = await import('../support/e2e-app')
  const server = spawn(process.execPath, [join(TOP, 'out/main/strata.js'), 'serve', '--json'], { env: home.env, stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = new Promise((resolve) => server.once('exit', resolve))
  // Its first line says that it owns the library: until then the next command would own it instead.
  await new Promise((resolve) => server.stdout.once('data', resolve))
  await commandLine(home, 'machine', 'create', 'shared', '--source', 'none', '--disk', '0', '--memory', '64M')

  const strata = await launch()
  await expect(strata.row('shared')).toBeVisible()
  expect(strata.log()).toContain('as its client')
  await strata.startMachine('shared', 'running')
  await strata.open('shared', 'Monitor')
  await expect(strata.terminal('monitor')).toContainText('(qemu)')

  server.kill('SIGTERM')
  await ended
  await expect.poll(() => strata.log()).toContain('as its owner')
  await expect(strata.row('shared')).toContainText('Running')
  await strata.typeLine('monitor', 'info name')
  await expect(strata.terminal('monitor')).toContainText('shared')
})

/** Starts the app once more over the same profile; answers its exit code. */
async function commandLineStart(env: Record<string, string>, folder: string): Promise<number | null> {
  const { spawn } = await import('node:child_process')
  const { ELECTRON, TOP } = await import('../support/e2e-app')
  const child = spawn(ELECTRON, ['--no-sandbox', TOP, `--user-data-dir=${join(folder, 'profile')}`], { env, stdio: 'ignore' })
  return new Promise((resolve) => child.once('exit', resolve))
}
