import { lazy } from 'react'
import { useOverlay } from '../../app'
import { ForceOffDialog, RenameDialog, ResetDialog } from './confirm'

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
