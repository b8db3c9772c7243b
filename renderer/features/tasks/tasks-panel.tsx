import { useEffect, useRef, useState } from 'react'
import { ListTodo } from 'lucide-react'
import type { Task } from '#contract'
import { Button, Details, DetailsText, EmptyState, ErrorNotice, formatClockSeconds, formatSpan, RelativeTime, StateBadge } from '#ui'
import { attempt, copyText, hasEnded, useTasks } from '../../app'
import { lookOfTask, newestFirst, whyNotCancelled } from './task-look'
import { TaskProgress } from './task-progress'
import styles from './tasks.module.css'

const FILTERS = { all: 'All', running: 'Running', failed: 'Failed' } as const
type Filter = keyof typeof FILTERS
const fits = (task: Task, filter: Filter): boolean =>
  filter === 'all' || (filter === 'running' ? !hasEnded(task) : task.state.kind === 'failed' || task.state.kind === 'interrupted')

/** All tasks, newest first: running ones with their progress, ended ones with what came of them. */
export function TasksPanel({ taskId }: { taskId: string | null }) {
  const { byId, loaded } = useTasks()
  const [filter, setFilter] = useState<Filter>('all')
  const all = Object.values(byId)
  const shown = newestFirst(all.filter((task) => fits(task, filter)))
  if (loaded && all.length === 0) {
    return (
      <EmptyState icon={ListTodo} title="No tasks yet">
        What takes a while, such as starting a machine or importing an image, is listed here with its progress and its log.
      </EmptyState>
    )
  }
  return (
    <section className={styles.panel} aria-label="Tasks">
      <header className={styles.head}>
        <h1>Tasks</h1>
        <div role="group" aria-label="Which tasks">
          {(Object.keys(FILTERS) as Filter[]).map((one) => (
            <Button
              key={one}
              size="small"
              variant={one === filter ? 'plain' : 'quiet'}
              aria-pressed={one === filter}
              onClick={() => setFilter(one)}
            >
              {FILTERS[one]}
            </Button>
          ))}
        </div>
      </header>
      {loaded && shown.length === 0 && (
        <p className={styles.none}>{filter === 'failed' ? 'No task has failed.' : 'No task is running now.'}</p>
      )}
      <ul>
        {shown.map((task) => (
          <TaskEntry key={task.id} task={task} chosen={task.id === taskId} />
        ))}
      </ul>
    </section>
  )
}

/** How long it took, where that says something: most take no time at all. */
function tookOf({ startedAtMs, endedAtMs }: Task): string {
  const tookMs = (endedAtMs ?? startedAtMs) - startedAtMs
  return tookMs < 1000 ? '' : `${formatSpan(tookMs)}, `
}

function TaskEntry({ task, chosen }: { task: Task; chosen: boolean }) {
  const entry = useRef<HTMLLIElement>(null)
  useEffect(() => {
    if (chosen) entry.current?.scrollIntoView({ block: 'nearest' })
  }, [chosen])
  const { state } = task
  return (
    <li ref={entry} className={styles.task} data-chosen={chosen || undefined}>
      <div className={styles.title}>
        <StateBadge look={lookOfTask(task)} />
        <h2>{task.title}</h2>
        <span className={styles.when}>
          {tookOf(task)}
          <RelativeTime atMs={task.startedAtMs} />
        </span>
        {state.kind === 'running' && (
          <Button
            size="small"
            blocked={whyNotCancelled(task)}
            onClick={() => void attempt('task.cancel', { taskId: task.id })}
          >
            Cancel
          </Button>
        )}
      </div>
      {state.kind === 'running' && <TaskProgress task={task} />}
      {state.kind === 'failed' && <ErrorNotice error={state.error} onCopy={copyText} />}
      {state.kind === 'interrupted' && (
        <p className={styles.none}>The process that ran it ended before it was done. What it had begun was cleaned up.</p>
      )}
      {state.kind === 'cancelled' && <p className={styles.none}>It was cancelled. What it had begun was undone.</p>}
      {state.kind === 'done' && isWorthShowing(state.result) && (
        <Details label="Result">
          <DetailsText text={JSON.stringify(state.result, null, 2)} onCopy={copyText} />
        </Details>
      )}
      {task.log.length > 0 && (
        <Details label="Log" open={chosen}>
          <DetailsText text={task.log.map(({ atMs, line }) => `${formatClockSeconds(atMs)}  ${line}`).join('\n')} onCopy={copyText} />
        </Details>
      )}
    </li>
  )
}

const isWorthShowing = (result: unknown): boolean => typeof result === 'object' && result !== null && Object.keys(result).length > 0
