import type { Task } from '#contract'
import { attempt, hasEnded, useTasks } from '../../app'
import { Button } from '../../ui/button'
import { whyNotCancelled } from './task-look'
import { TaskProgress } from './task-progress'
import styles from './running-tasks.module.css'

export interface RunningTasksProps {
  /** Which of those that run. */
  of: (task: Task) => boolean
  /** In a frame, on a page that has no padding of its own. */
  framed?: boolean
}

/** What is being done now that concerns a screen, a line each: how far it is, and a way to end it. */
export function RunningTasks({ of, framed }: RunningTasksProps) {
  const byId = useTasks((state) => state.byId)
  const running = Object.values(byId).filter((task) => !hasEnded(task) && of(task))
  return running.map((task) => (
    <div key={task.id} className={styles.running} data-framed={framed || undefined}>
      <p dir="auto">{task.title}</p>
      <TaskProgress task={task} />
      <Button size="small" blocked={whyNotCancelled(task)} onClick={() => void attempt('task.cancel', { taskId: task.id })}>
        Cancel
      </Button>
    </div>
  ))
}
