import { lazy } from 'react'

export { snapshotCommands } from './commands'
// Each comes when it is first shown.
export const SnapshotsTab = lazy(() => import('./snapshots-tab').then((module) => ({ default: module.SnapshotsTab })))
export const SnapshotDialogs = lazy(() => import('./dialogs').then((module) => ({ default: module.SnapshotDialogs })))
