import { ListTodo } from 'lucide-react'
import { formatCount, formatPercent } from '../../ui/format'
import { ProgressBar } from '../../ui/progress'
import { tip } from '../../ui/tip'
import { goTo, hasEnded, keysOf, useTasks } from '../../app'
import { newestFirst } from './task-look'
import styles from './tasks.module.css'

/** At the right of the status bar: what is going on, and the way to all tasks. It keeps its place when nothing is. */
export function TaskTray() {
  const byId = useTasks((state) => state.byId)
  const running = newestFirst(Object.values(byId).filter((task) => !hasEnded(task)))
  const [first] = running
  const label = !first ? 'No tasks' : running.length === 1 ? first.title : formatCount(running.length, 'task') + ' running'
  return (
    <button
      type="button"
      className={styles.tray}
      onClick={() => goTo({ kind: 'tasks', taskId: first?.id ?? null })}
      {...tip(first ? `${first.title}: ${first.phase}` : 'All tasks', keysOf('go.tasks'))}
    >
      <ListTodo size={13} aria-hidden />
      <span>{label}</span>
      {first && (
        <span className={styles.trayBar}>
          <ProgressBar ratio={first.ratio} label={first.title} />
        </span>
      )}
      {first?.ratio != null && <span className={styles.percent}>{formatPercent(first.ratio)}</span>}
    </button>
  )
}
