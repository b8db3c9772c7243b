import { late } from '../../ui/late'

export { diskCommands } from './commands'
// Each comes when it is first shown.
export const DisksTab = late(() => import('./tab/disks-tab').then((module) => module.DisksTab))
export const DisksScreen = late(() => import('./library/disks-screen').then((module) => module.DisksScreen))
export const DiskDialogs = late(() => import('./dialogs/dialogs').then((module) => module.DiskDialogs))
export const TemporaryBanner = late(() => import('./temporary-banner').then((module) => module.TemporaryBanner))
