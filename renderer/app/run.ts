import type { AnswerOf, InputOf, OperationName, Result, ResultOf, Task, TaskOperationName } from '#contract'
import { call } from './bridge'
import { goTo } from './places'
import { toastError } from './toasts'
import { taskEnded } from './world/tasks'

/** Runs an operation; when it fails the user is told. */
export async function attempt<N extends OperationName>(name: N, input: InputOf<N>): Promise<Result<AnswerOf<N>>> {
  const result = await call(name, input)
  if (!result.ok) toastError(result.error)
  return result
}

/**
 * Starts a task and waits for its end. Answers what it was for; when it fails, or is interrupted, the user is told, with a way
 * to its log. A cancelled one is `cancelled` and says nothing: the user knows.
 */
export async function attemptTask<N extends TaskOperationName>(name: N, input: InputOf<N>): Promise<Result<ResultOf<N>>> {
  const result = await callTask(name, input)
  if (result.ok || result.error.code === 'cancelled') return result
  const { taskId } = result
  toastError(result.error, taskId ? [{ label: 'Show task', run: () => goTo({ kind: 'tasks', taskId }) }] : [])
  return result
}

type TaskResult<T> = { ok: true; value: T } | (Extract<Result<T>, { ok: false }> & { taskId: string | null })

/** The same without telling the user: for a caller that shows the failure itself. */
export async function callTask<N extends TaskOperationName>(name: N, input: InputOf<N>): Promise<TaskResult<ResultOf<N>>> {
  const started = await call(name, input)
  if (!started.ok) return { ...started, taskId: null }
  // What a task operation answers is always its id; the compiler cannot see that through the mapped types.
  const { taskId } = started.value as { taskId: string }
  return resultOf<ResultOf<N>>(await taskEnded(taskId))
}

function resultOf<T>(task: Task): TaskResult<T> {
  const failed = (error: Extract<Result<T>, { ok: false }>['error']): TaskResult<T> => ({ ok: false, error, taskId: task.id })
  switch (task.state.kind) {
    case 'done':
      return { ok: true, value: task.state.result as T }
    case 'failed':
      return failed(task.state.error)
    case 'cancelled':
      return failed({ code: 'cancelled', message: `“${task.title}” was cancelled.`, causes: [] })
    case 'interrupted':
    case 'running':
      return failed({
        code: 'connection-lost',
        message: `“${task.title}” was interrupted: the process that ran it ended.`,
        peer: 'strata',
        causes: []
      })
  }
}
