import { lazy } from 'react'

export { TaskTray } from './task-tray'
export { TaskProgress } from './task-progress'
/** Comes when it is opened. */
export const TasksPanel = lazy(() => import('./tasks-panel').then((module) => ({ default: module.TasksPanel })))
