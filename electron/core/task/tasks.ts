import { randomUUID } from 'node:crypto'
import { failure, Failure, toAppError, type AppError, type Task } from '#contract'
import type { TaskJournal } from './journal'
import { undoAll, type Work } from './work'

/** How many ended tasks are kept for the list, and how many log lines a task. */
const ENDED_KEPT = 100
const LOG_LINES_KEPT = 500
/** Progress is pushed at most this often. */
const PUSH_INTERVAL_MS = 100

interface Entry {
  task: Task
  controller: AbortController
  ended: Promise<Task>
  pushTimer: NodeJS.Timeout | null
}

/** All long-running work of one library owner. */
export class Tasks {
  private readonly entries = new Map<string, Entry>()

  constructor(
    private readonly journal: TaskJournal,
    private readonly onDidChange: (task: Task) => void
  ) {}

  /** Lists what the last owner of the library did not end. */
  async recall(): Promise<void> {
    for (const task of await this.journal.takeInterrupted()) {
      this.entries.set(task.id, { task, controller: new AbortController(), ended: Promise.resolve(task), pushTimer: null })
    }
  }

  /**
   * Starts `act` and answers its task at once. When `act` throws, what it registered with `onUndo` runs before the task
   * ends as failed or cancelled.
   * @param title for people: `Start lab1`
   * @param subject name of what it works on
   */
  run(operation: string, title: string, subject: string | null, act: (work: Work) => Promise<unknown>): Task {
    const task: Task = {
      id: randomUUID().slice(0, 8),
      operation,
      title,
      subject,
      state: { kind: 'running', cancellable: true },
      ratio: null,
      phase: '',
      log: [],
      startedAtMs: Date.now(),
      endedAtMs: null
    }
    const controller = new AbortController()
    const entry: Entry = { task, controller, ended: Promise.resolve(task), pushTimer: null }
    this.entries.set(task.id, entry)
    this.push(entry)
    entry.ended = this.carryOut(entry, act)
    this.forgetOldest()
    return task
  }

  list(): Task[] {
    return [...this.entries.values()].map((entry) => entry.task)
  }

  get(taskId: string): Task {
    return this.entry(taskId).task
  }

  running(): Task[] {
    return this.list().filter((task) => task.state.kind === 'running')
  }

  /** Asks a task to end. It is still running when this returns: `wait` tells when it has cleaned up. */
  cancel(taskId: string): Task {
    const { task, controller } = this.entry(taskId)
    if (task.state.kind !== 'running') throw failure('wrong-state', `“${task.title}” has already ended.`, { name: task.id, state: task.state.kind })
    if (!task.state.cancellable) {
      throw failure('wrong-state', `“${task.title}” is past the point where it can be cancelled.`, { name: task.id, state: 'finishing' })
    }
    controller.abort()
    return task
  }

  /** The task once it has ended, or as it is after `timeoutMs`. */
  async wait(taskId: string, timeoutMs?: number, signal?: AbortSignal): Promise<Task> {
    const entry = this.entry(taskId)
    if (timeoutMs === undefined && !signal) return entry.ended
    const over = new AbortController()
    const given = new Promise<void>((resolve) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timeoutMs)
      // The signal outlives the wait: what listens to it goes with the wait.
      signal?.addEventListener('abort', () => resolve(), { signal: over.signal })
      over.signal.addEventListener('abort', () => clearTimeout(timer))
    })
    await Promise.race([entry.ended, given])
    over.abort()
    return entry.task
  }

  private async carryOut(entry: Entry, act: (work: Work) => Promise<unknown>): Promise<Task> {
    const { task, controller } = entry
    const undo: (() => Promise<void>)[] = []
    const work: Work = {
      signal: controller.signal,
      progress: (ratio) => {
        task.ratio = ratio === null ? null : Math.min(1, Math.max(0, ratio))
        this.pushSoon(entry)
      },
      phase: (text) => {
        if (text === task.phase) return
        task.phase = text
        addLine(task, text)
        this.push(entry)
      },
      log: (line) => {
        addLine(task, line)
        this.pushSoon(entry)
      },
      onUndo: (step) => void undo.push(step),
      pointOfNoReturn: () => {
        undo.length = 0
        task.state = { kind: 'running', cancellable: false }
        this.push(entry)
      }
    }
    try {
      await this.noteBegun(task, work)
      const result = await act(work)
      task.ratio = 1
      task.state = { kind: 'done', result }
    } catch (thrown) {
      const undoFailures: AppError[] = []
      await undoAll(undo, (error) => undoFailures.push(toAppError(error)))
      task.state = endedBy(thrown, controller.signal, undoFailures)
    }
    await this.journal.ended(task).catch(() => {}) // told as interrupted at the next start: no harm
    task.endedAtMs = Date.now()
    this.push(entry)
    return task
  }

  /**
   * A disk that is full keeps no work from being tried: some of it makes room, and what cannot be done for want of room fails by itself, naming
   * what could not be written.
   */
  private async noteBegun(task: Task, work: Work): Promise<void> {
    try {
      await this.journal.begun(task)
    } catch (error) {
      if (!(error instanceof Failure) || error.error.code !== 'no-space') throw error
      work.log('The disk that holds the library is full. If this is cut off, the next start cannot tell of it.')
    }
  }

  private entry(taskId: string): Entry {
    const entry = this.entries.get(taskId)
    if (!entry) throw failure('not-found', `There is no task “${taskId}”.`, { what: 'task', name: taskId, next: 'See the list of tasks.' })
    return entry
  }

  private pushSoon(entry: Entry): void {
    entry.pushTimer ??= setTimeout(() => this.push(entry), PUSH_INTERVAL_MS)
  }

  private push(entry: Entry): void {
    if (entry.pushTimer) clearTimeout(entry.pushTimer)
    entry.pushTimer = null
    this.onDidChange(entry.task)
  }

  private forgetOldest(): void {
    const ended = [...this.entries.values()].filter((entry) => entry.task.endedAtMs !== null)
    for (const entry of ended.slice(0, Math.max(0, ended.length - ENDED_KEPT))) this.entries.delete(entry.task.id)
  }
}

function addLine(task: Task, line: string): void {
  task.log.push({ atMs: Date.now(), line })
  if (task.log.length > LOG_LINES_KEPT) task.log.splice(0, task.log.length - LOG_LINES_KEPT)
}

function endedBy(thrown: unknown, signal: AbortSignal, undoFailures: AppError[]): Task['state'] {
  const expected = thrown instanceof Failure && thrown.error.code === 'cancelled'
  if (expected && signal.aborted && undoFailures.length === 0) return { kind: 'cancelled' }
  const error = toAppError(thrown)
  if (undoFailures.length === 0) return { kind: 'failed', error }
  const left = undoFailures.flatMap((failed) => [`Could not be undone: ${failed.message}`, ...failed.causes])
  return { kind: 'failed', error: { ...error, causes: [...error.causes, ...left] } }
}
