/**
 * npm run -s bench -- launch [RUNS]: a start of the app, not the first, to the first paint of its machine list with 50 machines in
 * the library, against an empty Electron window, in turn in one run. Then what the app takes in memory, and what it costs a
 * processor to list ten running machines with charts open, above the same app with nothing to do.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { chromium, type Browser, type Page } from '@playwright/test'
import { openCore, type OwnedCore } from '#core/index'
import { emit, median, progress, rounded } from './support/figures'

const TOP = join(import.meta.dirname, '../..')
const ELECTRON = join(TOP, 'node_modules/electron/dist/electron')
const EMPTY = join(TOP, 'test/bench/support/empty-window')
const NAMES = 'strata:list-painted-names'
const STATES = 'strata:list-painted-states'
const LISTED = 50
const RUNNING = 10
const IDLE_MS = 20_000

const runs = Number(process.argv[2] ?? 9)
const home = mkdtempSync(join(tmpdir(), 'strata-launch-'))

const environmentOf = (library: string): NodeJS.ProcessEnv => {
  mkdirSync(join(home, `${library}-run`), { recursive: true, mode: 0o700 })
  return { ...process.env, STRATA_HOME: join(home, library), XDG_RUNTIME_DIR: join(home, `${library}-run`) }
}

interface Started {
  child: ChildProcess
  profile: string
  spawnedAtMs: number
}

function start(app: string, profile: string, env: NodeJS.ProcessEnv): Started {
  const folder = join(home, profile)
  rmSync(join(folder, 'DevToolsActivePort'), { force: true })
  const args = [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), app, `--user-data-dir=${folder}`, '--remote-debugging-port=0']
  const spawnedAtMs = performance.timeOrigin + performance.now()
  return { child: spawn(ELECTRON, args, { env, stdio: 'ignore' }), profile: folder, spawnedAtMs }
}

/** Attaches to the page once it is there; what is measured has happened by then, or happens undisturbed. */
async function attach({ profile }: Started): Promise<{ browser: Browser; page: Page }> {
  const file = join(profile, 'DevToolsActivePort')
  while (!existsSync(file) || !readFileSync(file, 'utf8').includes('\n')) await delay(20)
  const [port] = readFileSync(file, 'utf8').split('\n')
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`)
  for (;;) {
    const page = browser.contexts()[0]?.pages()[0]
    if (page) return { browser, page }
    await delay(20)
  }
}

async function end({ child }: Started): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await gone
}

interface Painted {
  /** The names of the machines, as far as they were seen at the last start. NaN in the first start. */
  namesMs: number
  /** Names and states: the list is live. */
  statesMs: number
}

const painted = (page: Page): Promise<unknown> => page.waitForFunction((mark) => performance.getEntriesByName(mark).length > 0, STATES)

/** From spawn to the marks, in milliseconds: both clocks are the computer's. */
async function timeToPaint(app: string, profile: string, env: NodeJS.ProcessEnv): Promise<Painted> {
  const started = start(app, profile, env)
  // Attaching costs both sides the same, after their paint.
  await delay(600)
  const { browser, page } = await attach(started)
  await painted(page)
  const [names, states] = await page.evaluate(
    (marks) => marks.map((mark) => performance.timeOrigin + (performance.getEntriesByName(mark)[0]?.startTime ?? NaN)),
    [NAMES, STATES]
  )
  await browser.close().catch(() => undefined)
  await end(started)
  return { namesMs: names! - started.spawnedAtMs, statesMs: states! - started.spawnedAtMs }
}

/** The app's own processes: what it started, except QEMU. */
function processesOf(root: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
    } catch {
      continue // it ended while we looked
    }
  }
  const belongs = (pid: number): boolean => pid === root || (parents.has(pid) && pid > 1 && belongs(parents.get(pid)!))
  return [...parents.keys()].filter((pid) => belongs(pid) && !readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('qemu'))
}

function memoryOf(pids: readonly number[]): { rssMiB: number; pssMiB: number } {
  const sum = (field: string): number =>
    pids.reduce((total, pid) => total + Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0), 0)
  return { rssMiB: Math.round(sum('Rss') / 1024), pssMiB: Math.round(sum('Pss') / 1024) }
}

const TICK_MS = 10
const cpuMs = (pids: readonly number[]): number =>
  pids.reduce((total, pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return total + (Number(fields[11]) + Number(fields[12])) * TICK_MS
  }, 0)

/** Share of one processor that the app takes while nobody touches it, in percent. */
async function idleCpu(started: Started): Promise<number> {
  await delay(5000)
  const pids = processesOf(started.child.pid!)
  const before = cpuMs(pids)
  await delay(IDLE_MS)
  return ((cpuMs(pids) - before) / IDLE_MS) * 100
}

async function fill(library: string, count: number, prepare: (core: OwnedCore, name: string) => Promise<void>): Promise<void> {
  const core = await openCore({ environment: environmentOf(library), builtinGuest: join(TOP, 'out/guest') })
  for (let number = 1; number <= count; number++) await prepare(core, `lab${number}`)
  await core.close()
}

async function done(core: OwnedCore, name: string, input: object): Promise<void> {
  const answered = await core.call(name, input)
  if (!answered.ok) throw new Error(`${name}: ${JSON.stringify(answered.error)}`)
  const ended = await core.call('task.wait', { taskId: (answered.value as { taskId: string }).taskId })
  if (!ended.ok || (ended.value as { state: { kind: string } }).state.kind !== 'done') throw new Error(`${name}: ${JSON.stringify(ended)}`)
}

async function stopAll(library: string): Promise<void> {
  const core = await openCore({ environment: environmentOf(library) })
  for (let number = 1; number <= RUNNING; number++) await done(core, 'machine.stop', { machine: `lab${number}`, force: true })
  await core.close()
}

async function measureIdle(library: string, machine: string | null): Promise<number> {
  const started = start(TOP, `${library}-profile`, environmentOf(library))
  try {
    const { browser, page } = await attach(started)
    await painted(page)
    if (machine !== null) {
      await page.getByRole('option', { name: machine }).first().click()
      await page.getByRole('tab', { name: 'Overview' }).click()
      await page.locator('canvas').first().waitFor()
    }
    await browser.close().catch(() => undefined)
    return await idleCpu(started)
  } finally {
    await end(started)
  }
}

async function main(): Promise<void> {
  try {
    progress(`making a library of ${LISTED} machines`)
    await fill('listed', LISTED, (core, name) => done(core, 'machine.create', { name }))
    const listed = environmentOf('listed')
    // First starts: profiles are made, and what is compiled is kept for the next.
    for (const profile of ['app', 'app', 'empty', 'empty']) await timeToPaint(profile === 'app' ? TOP : EMPTY, profile, listed)
    const app: Painted[] = []
    const empty: number[] = []
    for (let run = 1; run <= runs; run++) {
      empty.push((await timeToPaint(EMPTY, 'empty', listed)).statesMs)
      app.push(await timeToPaint(TOP, 'app', listed))
      progress(`${run}/${runs}: empty window ${empty.at(-1)!.toFixed(0)} ms, app: names ${app.at(-1)!.namesMs.toFixed(0)} ms, states ${app.at(-1)!.statesMs.toFixed(0)} ms`)
    }

    const memory: Record<string, { rssMiB: number; pssMiB: number }> = {}
    for (const [name, folder] of [
      ['app', TOP],
      ['empty', EMPTY]
    ] as const) {
      const started = start(folder, name, listed)
      await delay(4000)
      memory[name] = memoryOf(processesOf(started.child.pid!))
      await end(started)
    }

    progress('idle with nothing to do')
    mkdirSync(join(home, 'none'), { recursive: true })
    const idleNone = await measureIdle('none', null)
    progress(`starting ${RUNNING} machines`)
    await fill('running', RUNNING, async (core, name) => {
      await done(core, 'machine.create', { name })
      await done(core, 'machine.start', { machine: name, wait: 'agent' })
    })
    progress('idle with their charts open')
    const idleRunning = await measureIdle('running', 'lab1').finally(() => stopAll('running'))

    const names = app.map(({ namesMs }) => namesMs)
    const states = app.map(({ statesMs }) => statesMs)
    emit('launch', {
      runs,
      machines: LISTED,
      emptyMs: rounded(median(empty), 0),
      namesMs: rounded(median(names), 0),
      statesMs: rounded(median(states), 0),
      ratio: rounded(median(names) / median(empty)),
      ratioWithStates: rounded(median(states) / median(empty)),
      memory,
      idleCpuPercent: { none: rounded(idleNone), running: rounded(idleRunning), difference: rounded(idleRunning - idleNone), machines: RUNNING }
    })
  } finally {
    rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

void main()
