import type { AppError, Result, Task, TaskRef } from '#contract'
import type { Options } from './arguments'
import type { Command } from './command'
import { makeProgress } from './progress'
import type { Session } from './session'
import { onEndRequest } from './signals'
import type { Following } from '../server/owner-events'
import type { Terminal } from './terminal'
import { badUsage } from './usage'

export interface Run {
  command: Command
  input: Record<string, unknown>
  options: Options
  session: Session
  terminal: Terminal
}
/** How a task's command ended: with its result, with its id alone, or left behind by a second Ctrl+C. */
export type TaskOutcome = { kind: 'result'; result: Result<unknown> } | { kind: 'detached'; taskId: string } | { kind: 'left'; taskId: string }

/**
 * Starts a long-running operation and sees it through: progress on the error output; Ctrl+C cancels it, and a second one
 * leaves it.
 * @throws UsageError for `--detach` where nobody would go on with the task
 */
export async function runTask(run: Run): Promise<TaskOutcome> {
  const { command, input, options, session } = run
  if (options.detach && (await session.connected()).runs === 'here') {
    throw badUsage('--detach', 'No other Strata runs that could go on with the task.', 'Open the window or run strata serve, or leave --detach out.')
  }
  const begun = await session.call(command.operation ?? '', input, false)
  if (!begun.ok) return { kind: 'result', result: begun }
  const { taskId } = begun.value as TaskRef
  if (options.detach) return { kind: 'detached', taskId }
  const ended = await watchTask(run, taskId, true)
  if (ended === 'left') return { kind: 'left', taskId }
  return { kind: 'result', result: ended.ok ? outcomeOf(ended.value) : ended }
}

/**
 * Waits for a task's end, wherever it runs, and shows how far it is.
 * @param cancels Ctrl+C cancels the task; else it only ends the waiting
 */
export async function watchTask(run: Run, taskId: string, cancels: boolean): Promise<Result<Task> | 'left'> {
  const { session, terminal, options } = run
  const interrupts = onInterrupt(run, taskId, cancels)
  let following: Following | null = null
  try {
    const shown = (await session.call('task.show', { taskId }, true)) as Result<Task>
    if (!shown.ok) return shown
    const progress = makeProgress(terminal, shown.value.title, options)
    interrupts.say = progress.say
    if (!options.json && (options.verbose || terminal.isErrorTerminal)) {
      // Progress is a courtesy: an owner that goes away is seen by the wait below.
      following = await session.follow((event) => void (event.kind === 'task-changed' && event.task.id === taskId && progress.show(event.task))).catch(() => null)
    }
    progress.show(shown.value)
    const ended = await Promise.race([session.call('task.wait', { taskId }, true) as Promise<Result<Task>>, interrupts.left])
    if (ended !== 'left' && ended.ok && options.verbose) progress.show(ended.value)
    progress.clear()
    return ended
  } finally {
    interrupts.release()
    following?.end()
  }
}

interface Interrupts {
  readonly left: Promise<'left'>
  say: (line: string) => void
  release: () => void
}

/** The first Ctrl+C asks the task to end; it still cleans up. The second one does not wait for that. */
function onInterrupt({ session, terminal, options }: Run, taskId: string, cancels: boolean): Interrupts {
  let asked = !cancels
  let leave = (_value: 'left'): void => {}
  const interrupts: Interrupts = {
    left: new Promise<'left'>((resolve) => (leave = resolve)),
    say: (line) => void (options.json || terminal.error(line + '\n')),
    release: onEndRequest(() => {
      if (asked) return leave('left')
      asked = true
      interrupts.say('Cancelling. Ctrl+C again does not wait for it.')
      void session.call('task.cancel', { taskId }, false).then((answered) => {
        if (!answered.ok) interrupts.say(answered.error.message)
      })
    })
  }
  return interrupts
}

export function outcomeOf(task: Task): Result<unknown> {
  const refuse = (error: AppError): Result<unknown> => ({ ok: false, error })
  switch (task.state.kind) {
    case 'done':
      return { ok: true, value: task.state.result }
    case 'failed':
      return refuse(task.state.error)
    case 'cancelled':
      return refuse({ code: 'cancelled', message: `“${task.title}” was cancelled; what it had done is undone.`, causes: [] })
    case 'interrupted':
      return refuse({
        code: 'connection-lost',
        peer: 'owner',
        message: `“${task.title}” was cut off: the Strata that ran it ended. What it had begun is cleaned up.`,
        next: 'Run it again.',
        causes: []
      })
    case 'running':
      return refuse({ code: 'time-out', waitedMs: Date.now() - task.startedAtMs, message: `“${task.title}” is still running.`, next: `strata task wait ${task.id}`, causes: [] })
  }
}
