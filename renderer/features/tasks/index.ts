import { late } from '../../ui/late'

export { TaskTray } from './task-tray'
export { RunningTasks } from './running-tasks'
export { TaskProgress } from './task-progress'
export { whyNotCancelled } from './task-look'
/** Comes when it is opened. */
export const TasksPanel = late(() => import('./tasks-panel').then((module) => module.TasksPanel))
