import { lazy } from 'react'

export { TaskTray } from './task-tray'
export { TaskProgress } from './task-progress'
export { whyNotCancelled } from './task-look'
/** Comes when it is opened. */
export const TasksPanel = lazy(() => import('./tasks-panel').then((module) => ({ default: module.TasksPanel })))
