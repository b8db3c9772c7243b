import { late } from '../../ui/late'

export { labCommands } from './commands'
// Each comes when it is first shown.
export const LabsScreen = late(() => import('./labs-screen').then((module) => module.LabsScreen))
export const LabDialogs = late(() => import('./dialogs').then((module) => module.LabDialogs))
