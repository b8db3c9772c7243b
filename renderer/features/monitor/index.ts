export { MonitorTab } from './MonitorTab'
