import { useOverlay } from '../../app'
import { late } from '../../ui/late'

// The contract's schemas, which check what is typed, come with the first dialog.
const ForceOffDialog = late(() => import('./confirm').then((module) => module.ForceOffDialog))
const ResetDialog = late(() => import('./confirm').then((module) => module.ResetDialog))
const RenameDialog = late(() => import('./rename').then((module) => module.RenameDialog))
const CreateWizard = late(() => import('./create/wizard').then((module) => module.CreateWizard))

/** The dialogs of machines, whichever is open. */
export function MachineDialogs() {
  const overlay = useOverlay((state) => state.overlay)
  switch (overlay?.kind) {
    case 'create':
      return <CreateWizard />
    case 'rename':
      return <RenameDialog machine={overlay.machine} />
    case 'force-off':
      return <ForceOffDialog machines={overlay.machines} />
    case 'reset':
      return <ResetDialog machines={overlay.machines} />
    default:
      return null
  }
}
