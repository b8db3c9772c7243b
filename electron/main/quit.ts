import { app, dialog, type BrowserWindow } from 'electron'
import type { Task } from '#contract'
import { ask } from './ask'
import type { Link } from './link'
import type { Log } from './log'

/** How long a quit waits for tasks that cannot be cancelled, or that were told to. */
const GRACE_MS = 30_000
/** A shutdown of the computer does not wait that long. */
const SIGNAL_GRACE_MS = 5_000

export interface QuitOptions {
  /** Whether tasks run in this process; those of another owner outlive the window. */
  ownsTasks: () => boolean
  log: Log
}

/**
 * Leaving in order. Machines run on whatever happens; tasks of this process do not survive it, so they are asked about.
 *
 *   open ──quit──> asking ──> waiting ──last task ended──> leaving ──> left
 *                    │  └── keep open ──> open               ^
 *                    └── no tasks, cancel them, or a signal ─┘
 *
 * Answers a function that leaves without asking, with an exit code.
 */
export function guardQuit(browser: BrowserWindow, link: Link, options: QuitOptions): (exitCode: number) => void {
  const { log } = options
  let state: 'open' | 'asking' | 'waiting' | 'leaving' | 'left' = 'open'

  const leave = async (graceMs: number, exitCode = 0): Promise<void> => {
    if (state === 'leaving' || state === 'left') return
    state = 'leaving'
    if (!browser.isDestroyed()) browser.hide()
    try {
      await link.close(graceMs)
    } catch (thrown) {
      log.error('while closing', thrown)
    }
    state = 'left'
    log.info('closed')
    if (exitCode === 0) app.quit()
    else app.exit(exitCode)
  }
  const askToLeave = async (): Promise<void> => {
    state = 'asking'
    const tasks = options.ownsTasks() ? await runningTasks(link) : []
    if (tasks.length === 0) return leave(GRACE_MS)
    const answer = await askAbout(browser, tasks)
    if (answer === 'stay') {
      state = 'open'
    } else if (answer === 'cancel') {
      await Promise.all(tasks.filter(isCancellable).map((task) => link.call('task.cancel', { taskId: task.id })))
      return leave(GRACE_MS)
    } else {
      state = 'waiting'
      await tasksEnded(link, () => state === 'waiting')
      if (state === 'waiting') return leave(GRACE_MS)
    }
  }

  app.on('before-quit', (event) => {
    if (state === 'left') return
    event.preventDefault()
    if (state === 'open' || state === 'waiting') askToLeave().catch((thrown: unknown) => log.error('while quitting', thrown))
  })
  // The window stays until it is decided; closing it is quitting.
  browser.on('close', (event) => {
    if (state === 'left') return
    event.preventDefault()
    app.quit()
  })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      log.info(`${signal}: closing`)
      void leave(SIGNAL_GRACE_MS)
    })
  }
  return (exitCode) => void leave(SIGNAL_GRACE_MS, exitCode)
}

async function runningTasks(link: Link): Promise<Task[]> {
  // A core that is not open has no tasks, and is not opened to find that out.
  if (!link.core) return []
  const listed = await ask(link.core, 'task.list', {})
  return listed.ok ? listed.value.filter((task) => task.state.kind === 'running') : []
}

const isCancellable = (task: Task): boolean => task.state.kind === 'running' && task.state.cancellable

/** Resolves when no task runs any more, or when `wanted` says that nobody waits for it now. */
function tasksEnded(link: Link, wanted: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = async (): Promise<void> => {
      if (wanted() && (await runningTasks(link)).length > 0) return
      unsubscribe()
      resolve()
    }
    const unsubscribe = link.onEvent((event) => {
      if (event.kind === 'task-changed' && event.task.state.kind !== 'running') look().catch(reject)
    })
    look().catch(reject)
  })
}

async function askAbout(browser: BrowserWindow, tasks: Task[]): Promise<'wait' | 'cancel' | 'stay'> {
  const one = tasks.length === 1
  const { response } = await dialog.showMessageBox(browser, {
    type: 'question',
    message: one ? 'A task is still running.' : `${tasks.length} tasks are still running.`,
    detail: `${tasks.map((task) => `• ${task.title}`).join('\n')}\n\nMachines go on running after Strata has quit; tasks do not. A cancelled task is undone.`,
    buttons: [one ? 'Quit when it is done' : 'Quit when they are done', one ? 'Cancel it and quit' : 'Cancel them and quit', 'Keep Strata open'],
    defaultId: 0,
    cancelId: 2,
    noLink: true
  })
  return (['wait', 'cancel', 'stay'] as const)[response] ?? 'stay'
}
