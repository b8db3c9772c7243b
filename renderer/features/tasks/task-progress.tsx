import type { Task } from '#contract'
import { formatPercent } from '../../ui/format'
import { ProgressBar } from '../../ui/progress'
import styles from './tasks.module.css'

/** How far a running task is, and what it does now. */
export function TaskProgress({ task }: { task: Task }) {
  return (
    <div className={styles.progress}>
      <ProgressBar ratio={task.ratio} label={task.title} />
      <p>
        <span>{task.phase || 'starting'}</span>
        <span className={styles.percent}>{task.ratio === null ? '' : formatPercent(task.ratio)}</span>
      </p>
    </div>
  )
}
