import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ended, onExit } from './run.mjs'

const MARK = 'STRATA_TEST_RUN'
/** How long a process may take to end after its test has. */
const GRACE_MS = 3000

/**
 * What a run of tests or benchmarks gets: folders of its own, so that it never touches the user's, and a mark in the
 * environment by which what it started is found again. When it closes, or is told to end, folders and processes go.
 */
export class TestRun {
  #id = randomBytes(6).toString('hex')
  // Short: a Unix socket path has at most 107 bytes.
  #folder = mkdtempSync(path.join(tmpdir(), 'strata-'))
  #forget

  constructor() {
    // Tests also run programs as another user, who has to get through to a folder of their own.
    chmodSync(this.#folder, 0o711)
    for (const name of ['home', 'run', 'config']) mkdirSync(path.join(this.#folder, name), { mode: 0o700 })
    this.#forget = onExit(() => this.#clear())
  }

  get env() {
    const inFolder = (name) => path.join(this.#folder, name)
    return {
      [MARK]: this.#id,
      TMPDIR: this.#folder,
      STRATA_HOME: inFolder('home'),
      XDG_RUNTIME_DIR: inFolder('run'),
      XDG_CONFIG_HOME: inFolder('config')
    }
  }

  file(name) {
    return path.join(this.#folder, name)
  }

  /**
   * Runs a program in a process group of its own, with its output on ours.
   * @returns {Promise<{ code: number | null, timedOut: boolean }>}
   */
  async run(args, { env = {}, timeoutMs, cwd } = {}) {
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...process.env, ...env, ...this.env },
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true
    })
    const forget = onExit(() => signalGroup(child.pid, 'SIGTERM'))
    let timedOut = false
    const timer = timeoutMs && setTimeout(() => void ((timedOut = true), signalGroup(child.pid, 'SIGKILL')), timeoutMs)
    try {
      return { code: (await ended(child)).code, timedOut }
    } finally {
      clearTimeout(timer)
      forget()
    }
  }

  /** What was started in this run and still runs after a moment's grace. */
  async leftProcesses(graceMs = GRACE_MS) {
    const until = performance.now() + graceMs
    let left = this.#processes()
    while (left.length > 0 && performance.now() < until) {
      await delay(100)
      left = this.#processes()
    }
    return left
  }

  /** Ends processes by their ids: politely, then not. */
  async end(processes) {
    for (const { pid } of processes) signal(pid, 'SIGTERM')
    if ((await this.leftProcesses()).length > 0) for (const { pid } of this.#processes()) signal(pid, 'SIGKILL')
  }

  close() {
    this.#clear()
    this.#forget()
  }

  #clear() {
    for (const { pid } of this.#processes()) signal(pid, 'SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 })
  }

  /** By the mark in their environment, and by our folder in their command line, should one have been given another environment. */
  #processes() {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    return pids.flatMap((pid) => {
      const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()
      const marked = read(`/proc/${pid}/environ`).split('\0').includes(`${MARK}=${this.#id}`)
      // A zombie has neither; it has ended.
      return command && (marked || command.includes(this.#folder)) ? [{ pid: Number(pid), command }] : []
    })
  }
}

/** A process may go while we look, and some are not ours to read. */
function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

const signalGroup = (pid, name) => signal(-pid, name)

function signal(pid, name) {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}
