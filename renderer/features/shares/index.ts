import { late } from '../../ui/late'

export { shareCommands } from './commands'
// Each comes when it is first shown.
export const SharesScreen = late(() => import('./shares-screen').then((module) => module.SharesScreen))
export const ShareDialog = late(() => import('./share-dialog').then((module) => module.ShareDialog))
