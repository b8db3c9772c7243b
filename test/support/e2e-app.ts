import { execFile, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { _electron, expect, type ElectronApplication, type Page } from '@playwright/test'
import type { AnswerOf, InputOf, Machine, OperationName, Result, ResultOf, Task, TaskOperationName } from '#contract'

export const TOP = join(__dirname, '../..')
export const ELECTRON = join(TOP, 'node_modules/electron/dist/electron')
/** Holds the app back until Playwright has attached: attaching while a page changes its process hangs now and then. */
const PLAYWRIGHT_LOADER = join(TOP, 'node_modules/playwright-core/lib/server/electron/loader.js')
const STRATA = join(TOP, 'out/main/strata.js')

/**
 * A program that starts another one, whose first words are heard late: Playwright attaches when it hears them, and by then the
 * page of an app that cannot be held back, the packaged one, has its process.
 */
function heardLate(executable: string, folder: string): string {
  const script = join(folder, 'heard-late')
  writeFileSync(script, `#!/bin/bash\nexec '${executable}' "$@" 2> >(sleep 4; exec cat >&2)\n`, { mode: 0o755 })
  return script
}

/** A library, a runtime folder and a window profile that nobody else has. */
export interface Home {
  folder: string
  library: string
  env: Record<string, string>
  /** Whose library it is; a library of somebody else is refused. By default ours. */
  uid?: number
  /** Ends every machine of it, whoever runs it, and takes the folder away. */
  remove(): Promise<void>
}

export function makeHome(): Home {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'e2e-')))
  const library = join(folder, 'library')
  mkdirSync(join(folder, 'run'), { mode: 0o700 })
  const env = { ...(process.env as Record<string, string>), STRATA_HOME: library, XDG_RUNTIME_DIR: join(folder, 'run') }
  const home: Home = {
    folder,
    library,
    env,
    remove: async () => {
      if (existsSync(library)) await endMachines(home)
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    }
  }
  return home
}

/** `strata`, as a user types it; answers what it printed. */
export async function strata({ env, uid }: Home, ...args: string[]): Promise<string> {
  const as = uid === undefined ? {} : { uid, gid: uid }
  const { stdout } = await promisify(execFile)(process.execPath, [STRATA, ...args], { env, maxBuffer: 64 * 2 ** 20, ...as })
  return stdout
}

async function endMachines(home: Home): Promise<void> {
  const machines = JSON.parse(await strata(home, 'machine', 'list', '--json')) as Machine[]
  for (const { state, id } of machines) if ('pid' in state) await strata(home, 'machine', 'stop', id, '--force')
}

export interface LaunchOptions {
  args?: string[]
  /** Over the home's own environment. */
  env?: Record<string, string>
  executablePath?: string
  /** What stands before our own arguments; by default the checkout. */
  entry?: string[]
  chromiumSandbox?: boolean
}

/** Buttons of the question about running tasks. */
export const WAIT_FOR_TASKS = 0
export const CANCEL_TASKS = 1
export const KEEP_OPEN = 2

/** The running app, seen through its window. */
export class Strata {
  private readonly child: ChildProcess

  private constructor(
    readonly app: ElectronApplication,
    readonly page: Page,
    readonly home: Home
  ) {
    this.child = app.process() // once it is gone, Playwright cannot tell any more
  }

  static async launch(home: Home, options: LaunchOptions = {}): Promise<Strata> {
    const executable = options.executablePath ?? ELECTRON
    const app = await _electron.launch({
      executablePath: options.entry?.length === 0 ? heardLate(executable, home.folder) : executable,
      args: [...(options.entry ?? ['-r', PLAYWRIGHT_LOADER, TOP]), `--user-data-dir=${join(home.folder, 'profile')}`, '--disable-gpu', '--still', ...(options.args ?? [])],
      env: { ...home.env, ...options.env },
      chromiumSandbox: options.chromiumSandbox ?? false
    })
    const page = await app.firstWindow()
    const strata = new Strata(app, page, home)
    page.on('pageerror', (error) => strata.mistakes.push(error.stack ?? error.message))
    await page.locator('nav').first().waitFor()
    return strata
  }

  /** Exceptions of the page: a test that causes one has failed. */
  readonly mistakes: string[] = []

  /** Calls an operation through the window's own bridge. */
  call<N extends OperationName>(name: N, input: InputOf<N>): Promise<Result<AnswerOf<N>>> {
    return this.page.evaluate(([operation, given]) => window.strata.call(operation as 'host.show', given as object), [name, input] as const) as Promise<Result<never>>
  }
  /** The same, and it has to succeed. */
  async need<N extends OperationName>(name: N, input: InputOf<N>): Promise<AnswerOf<N>> {
    const answered = await this.call(name, input)
    if (!answered.ok) throw new Error(`${name}: ${JSON.stringify(answered.error)}`)
    return answered.value
  }
  /** Runs a long operation to its end, which has to be a success. */
  async done<N extends TaskOperationName>(name: N, input: InputOf<N>): Promise<ResultOf<N>> {
    const { taskId } = (await this.need(name, input)) as { taskId: string }
    const task: Task = await this.need('task.wait', { taskId, timeoutSeconds: 100 })
    if (task.state.kind !== 'done') throw new Error(`${name}: ${JSON.stringify(task.state)}`)
    return task.state.result as ResultOf<N>
  }

  async createMachine(name: string, input: Partial<InputOf<'machine.create'>> = {}): Promise<Machine> {
    return this.done('machine.create', { name, ...input })
  }
  async startMachine(name: string, wait: 'running' | 'agent' = 'agent'): Promise<Machine> {
    return this.done('machine.start', { machine: name, wait })
  }

  /** Runs a program in the guest; answers what it printed. */
  async guest(machine: string, ...command: string[]): Promise<string> {
    return (await this.need('guest.exec', { machine, command })).stdout
  }

  /** Opens a machine's tab as a user does. */
  async open(machine: string, tab: 'Overview' | 'Console' | 'Display' | 'Disks' | 'Snapshots' | 'Monitor' | 'Settings'): Promise<void> {
    await this.row(machine).click()
    await this.page.getByRole('tab', { name: tab }).click()
  }
  row(machine: string) {
    return this.page.getByRole('listbox', { name: 'Machines' }).getByRole('option', { name: machine })
  }

  /** The lines that a terminal shows. */
  terminal(testId: 'console' | 'monitor') {
    return this.page.getByTestId(testId).locator('.xterm-rows')
  }
  /** Gives a console that shows a prompt the keyboard, and types a line. */
  async typeLine(testId: 'console' | 'monitor', line: string): Promise<void> {
    await this.page.getByTestId(testId).click()
    await this.page.keyboard.type(line)
    await this.page.keyboard.press('Enter')
  }

  /** What the app wrote to its log. */
  log(): string {
    return readFileSync(join(this.home.library, 'logs', 'app.log'), 'utf8')
  }

  get pid(): number {
    return this.child.pid!
  }
  get isGone(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }
  /** Lets the app's questions be answered with one of their buttons, from now on; answers those that were asked. */
  async answerQuestions(button: number): Promise<void> {
    await this.app.evaluate(({ dialog }, response) => {
      const asked: string[] = []
      Object.assign(dialog, {
        asked,
        showMessageBox: (_window: unknown, { message, detail }: { message: string; detail: string }) => {
          asked.push(`${message}\n${detail}`)
          return Promise.resolve({ response, checkboxChecked: false })
        }
      })
    }, button)
  }
  askedQuestions(): Promise<string[]> {
    return this.app.evaluate(({ dialog }) => (dialog as unknown as { asked: string[] }).asked)
  }

  /** Quits as a user does who does not wait for tasks, and waits until the process is gone. */
  async quit(): Promise<void> {
    if (this.app.process().exitCode !== null || this.app.process().signalCode !== null) return
    await this.answerQuestions(CANCEL_TASKS)
    const gone = this.gone()
    await this.app.close()
    await gone
    expect(this.mistakes).toEqual([])
  }
  /** Ends it without a warning. */
  async kill(): Promise<void> {
    const gone = this.gone()
    process.kill(this.pid, 'SIGKILL')
    await gone
  }
  gone(): Promise<number | null> {
    const { child } = this
    return child.exitCode !== null || child.signalCode !== null ? Promise.resolve(child.exitCode) : new Promise((resolve) => child.once('exit', (code) => resolve(code)))
  }
}
