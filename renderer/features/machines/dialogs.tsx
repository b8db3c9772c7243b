import { lazy } from 'react'
import { useOverlay } from '../../app'

// The contract's schemas, which check what is typed, come with the first dialog.
const ForceOffDialog = lazy(() => import('./confirm').then((module) => ({ default: module.ForceOffDialog })))
const ResetDialog = lazy(() => import('./confirm').then((module) => ({ default: module.ResetDialog })))
const RenameDialog = lazy(() => import('./rename').then((module) => ({ default: module.RenameDialog })))
const CreateWizard = lazy(() => import('./create/wizard').then((module) => ({ default: module.CreateWizard })))

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
