import type { Machine } from '#contract'
import { Button } from '#ui'
import { attempt, hasEnded, useTasks } from '../../../app'
import { TaskProgress, whyNotCancelled } from '../../tasks'
import styles from './disks-tab.module.css'

/** What is being done to a machine's disks now. */
export function RunningWork({ machine, disk }: { machine: Machine; disk: string }) {
  const byId = useTasks((state) => state.byId)
  const running = Object.values(byId).filter(
    (task) => !hasEnded(task) && task.subject === machine.name && /^(disk|overlay)\./.test(task.operation) && task.title.includes(disk)
  )
  return running.map((task) => (
    <div key={task.id} className={styles.work}>
      <p>{task.title}</p>
      <TaskProgress task={task} />
      <Button size="small" blocked={whyNotCancelled(task)} onClick={() => void attempt('task.cancel', { taskId: task.id })}>
        Cancel
      </Button>
    </div>
  ))
}
