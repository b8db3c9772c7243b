import { lazy } from 'react'

export { diskCommands } from './commands'
// Each comes when it is first shown.
export const DisksTab = lazy(() => import('./tab/disks-tab').then((module) => ({ default: module.DisksTab })))
export const DisksScreen = lazy(() => import('./library/disks-screen').then((module) => ({ default: module.DisksScreen })))
export const DiskDialogs = lazy(() => import('./dialogs/dialogs').then((module) => ({ default: module.DiskDialogs })))
export const TemporaryBanner = lazy(() => import('./temporary-banner').then((module) => ({ default: module.TemporaryBanner })))
