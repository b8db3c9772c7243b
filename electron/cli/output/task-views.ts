import type { Task } from '#contract'
import type { Paint } from './paint'
import { ago, block, formatDuration } from './text'

const percentOf = (task: Task): string => (task.state.kind === 'running' ? (task.ratio === null ? '?' : `${Math.round(task.ratio * 100)} %`) : '')

function taskWord(task: Task, paint: Paint): string {
  const { kind } = task.state
  return kind === 'done' ? paint.green(kind) : kind === 'failed' ? paint.red(kind) : kind === 'running' ? paint.blue(kind) : paint.yellow(kind)
}

/** A task as a line of a table. */
export const taskRow = (task: Task, paint: Paint): string[] => [task.id, taskWord(task, paint), percentOf(task), `${ago(task.startedAtMs)} ago`, task.title]

/** A task with its log. */
export function taskBlock(task: Task, paint: Paint): string {
  const took = task.endedAtMs === null ? '' : `, took ${formatDuration(task.endedAtMs - task.startedAtMs)}`
  return block(
    [
      ['Task', `${task.title} (${task.id})`],
      ['State', [taskWord(task, paint), percentOf(task), task.state.kind === 'running' ? task.phase : ''].filter(Boolean).join('  ')],
      ['Started', `${ago(task.startedAtMs)} ago${took}`],
      ...(task.state.kind === 'failed' ? [['Error', [task.state.error.message, task.state.error.next].filter(Boolean).join('\n')] as const] : []),
      ['Log', task.log.map(({ atMs, line }) => `${new Date(atMs).toISOString().slice(11, 19)} ${line}`).join('\n') || '-']
    ],
    paint.dim
  )
}
