import { lazy } from 'react'

export { shareCommands } from './commands'
// Each comes when it is first shown.
export const SharesScreen = lazy(() => import('./shares-screen').then((module) => ({ default: module.SharesScreen })))
export const ShareDialog = lazy(() => import('./share-dialog').then((module) => ({ default: module.ShareDialog })))
