import { lazy } from 'react'

export { labCommands } from './commands'
// Each comes when it is first shown.
export const LabsScreen = lazy(() => import('./labs-screen').then((module) => ({ default: module.LabsScreen })))
export const LabDialogs = lazy(() => import('./dialogs').then((module) => ({ default: module.LabDialogs })))
