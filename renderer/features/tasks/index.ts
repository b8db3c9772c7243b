export { TaskTray } from './task-tray'
export { TasksPanel } from './tasks-panel'
export { TaskProgress } from './task-progress'
