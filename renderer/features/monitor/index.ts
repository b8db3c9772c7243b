export { MonitorTab } from './monitor-tab'
