import { closeOverlay, machineById } from '../../app'
import { ConfirmDialog } from '../../ui/dialog'
import { formatCount } from '../../ui/format'
import { forceOff, resetMachines } from './actions'

const nameOf = (ids: readonly string[]): string =>
  ids.length === 1 ? (machineById(ids[0] ?? '')?.name ?? 'the machine') : formatCount(ids.length, 'machine')

export function ForceOffDialog({ machines }: { machines: readonly string[] }) {
  return (
    <ConfirmDialog
      title={`Force ${nameOf(machines)} off?`}
      verb="Force off"
      danger
      onClose={closeOverlay}
      onConfirm={() => {
        closeOverlay()
        forceOff(machines)
      }}
    >
      <p>
        QEMU ends at once, like pulling the plug. What the guest has not written to its disks is lost, and its file systems may need a check
        at the next start.
      </p>
    </ConfirmDialog>
  )
}

export function ResetDialog({ machines }: { machines: readonly string[] }) {
  return (
    <ConfirmDialog
      title={`Reset ${nameOf(machines)}?`}
      verb="Reset"
      danger
      onClose={closeOverlay}
      onConfirm={() => {
        closeOverlay()
        resetMachines(machines)
      }}
    >
      <p>The guest starts anew without shutting down, as with a reset button. What it has not written to its disks is lost.</p>
    </ConfirmDialog>
  )
}
