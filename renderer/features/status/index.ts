export { HostBanner } from './host-banner'
export { StatusBar } from './status-bar'
