import { late } from '../../ui/late'

export { snapshotCommands } from './commands'
// Each comes when it is first shown.
export const SnapshotsTab = late(() => import('./snapshots-tab').then((module) => module.SnapshotsTab))
export const SnapshotsScreen = late(() => import('./snapshots-screen').then((module) => module.SnapshotsScreen))
export const SnapshotDialogs = late(() => import('./dialogs').then((module) => module.SnapshotDialogs))
