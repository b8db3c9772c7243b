/**
 * npm run -s bench -- launch [RUNS]: second start of the app to the first paint of its list of machines, with 50 machines in
 * the library, against an empty Electron window on the same machine, in turn in one run. Both are opened the same way; the
 * time is from spawn to the paint as the page itself saw it. Then memory, and the idle processor time with ten machines
 * running and one's charts open, against none.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { _electron, type ElectronApplication, type Page } from '@playwright/test'
import { emit, median, progress, rounded } from './lib'

const TOP = join(import.meta.dirname, '../..')
const ELECTRON = join(TOP, 'node_modules/electron/dist/electron')
const MACHINES = 50
const RUNNING = 10
const IDLE_SECONDS = 15
const runs = Number(process.argv[2] ?? 7)
const home = mkdtempSync(join(tmpdir(), 'strata-bench-'))
const env = { ...process.env, STRATA_HOME: join(home, 'library'), XDG_RUNTIME_DIR: join(home, 'run') } as Record<string, string>
const EMPTY = ['--source', 'none', '--disk', '0', '--memory', '64M', '--cpus', '1', '--network', 'none', '--no-display']

function strata(...args: string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [join(TOP, 'out/main/strata.js'), ...args], { env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`strata ${args.join(' ')}: ${stderr}`)
}

interface Opened {
  app: ElectronApplication
  page: Page
  spawnedAtMs: number
}
async function open(entry: string, profile: string): Promise<Opened> {
  const spawnedAtMs = Date.now()
  const app = await _electron.launch({ executablePath: ELECTRON, args: [entry, `--user-data-dir=${join(home, profile)}`, '--disable-gpu', '--no-sandbox'], env })
  return { app, page: await app.firstWindow(), spawnedAtMs }
}

/** Waits for the mark or paint of this name; answers milliseconds from spawn to it. */
async function painted({ page, spawnedAtMs }: Opened, name: string): Promise<number> {
  const atMs = await page.evaluate(async (wanted) => {
    for (;;) {
      const [entry] = performance.getEntriesByName(wanted)
      if (entry) return performance.timeOrigin + entry.startTime
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }, name)
  return atMs - spawnedAtMs
}

/** A window with nothing in it: what any Electron app costs. */
function writeEmptyApp(): string {
  const folder = join(home, 'empty')
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{"name":"empty","main":"main.js"}')
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>empty</title><p>empty</p>')
  writeFileSync(
    join(folder, 'main.js'),
    `const { app, BrowserWindow } = require('electron')
app.whenReady().then(() => {
  const window = new BrowserWindow({ width: 1280, height: 800, show: false, webPreferences: { sandbox: true } })
  window.once('ready-to-show', () => window.show())
  window.loadFile('index.html')
})
app.on('window-all-closed', () => app.quit())`
  )
  return folder
}

/** All processes of an app: the one that was started, and its descendants. */
function processesOf(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
    } catch {
      continue // ended meanwhile
    }
  }
  const family = new Set([pid])
  for (let size = 0; size !== family.size; ) {
    size = family.size
    for (const [child, parent] of parents) {
      // QEMU leaves the family when it is started: it has a session of its own.
      if (family.has(parent) && !readFileSync(`/proc/${child}/comm`, 'utf8').startsWith('qemu')) family.add(child)
    }
  }
  return [...family]
}

const ticksOf = (pids: number[]): number =>
  pids.reduce((sum, pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return sum + Number(fields[11]) + Number(fields[12])
  }, 0)

function memoryOf(pids: number[]): { rssMiB: number; pssMiB: number } {
  const sum = (key: string): number =>
    pids.reduce((total, pid) => total + Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0), 0)
  return { rssMiB: Math.round(sum('Rss') / 1024), pssMiB: Math.round(sum('Pss') / 1024) }
}

/** Share of one processor that the app uses while nobody touches it. */
async function idleShare(app: ElectronApplication): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 3000))
  const pids = processesOf(app.process().pid!)
  const before = ticksOf(pids)
  await new Promise((resolve) => setTimeout(resolve, IDLE_SECONDS * 1000))
  return (ticksOf(pids) - before) / 100 / IDLE_SECONDS
}

async function main(): Promise<void> {
  mkdirSync(join(home, 'run'), { mode: 0o700 })
  try {
    for (let n = 1; n <= MACHINES; n++) strata('machine', 'create', `lab${n}`, ...EMPTY)
    const empty = writeEmptyApp()
    const ours: number[] = []
    const theirs: number[] = []
    let memory = { rssMiB: 0, pssMiB: 0 }
    for (let run = 0; run <= runs; run++) {
      const blank = await open(empty, 'empty-profile')
      const blankMs = await painted(blank, 'first-paint')
      await blank.app.close()
      const app = await open(TOP, 'profile')
      const oursMs = await painted(app, 'strata:list-painted')
      memory = memoryOf(processesOf(app.app.process().pid!))
      await app.app.close()
      if (run === 0) continue // first starts: caches are made
      ours.push(oursMs)
      theirs.push(blankMs)
      progress(`${run}/${runs}: strata ${oursMs.toFixed(0)} ms, empty window ${blankMs.toFixed(0)} ms`)
    }
    const still = await open(TOP, 'profile')
    await painted(still, 'strata:list-painted')
    const idleNone = await idleShare(still.app)
    await still.app.close()
    for (let n = 1; n <= RUNNING; n++) strata('machine', 'start', `lab${n}`)
    const busy = await open(TOP, 'profile')
    await painted(busy, 'strata:list-painted')
    await busy.page.getByRole('option', { name: 'lab1', exact: false }).first().click()
    const idleTen = await idleShare(busy.app)
    await busy.app.close()
    emit('launch', {
      runs,
      machines: MACHINES,
      strataMs: rounded(median(ours), 0),
      emptyMs: rounded(median(theirs), 0),
      ratio: rounded(median(ours) / median(theirs)),
      ...memory,
      idlePercentNone: rounded(idleNone * 100, 1),
      idlePercentTenRunning: rounded(idleTen * 100, 1),
      idlePercentMore: rounded((idleTen - idleNone) * 100, 1)
    })
  } finally {
    for (let n = 1; n <= RUNNING; n++) spawnSync(process.execPath, [join(TOP, 'out/main/strata.js'), 'machine', 'stop', `lab${n}`, '--force'], { env })
    rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  }
}
void main()
