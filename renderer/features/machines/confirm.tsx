import { useState } from 'react'
import type { AppError } from '#contract'
import { closeOverlay, copyText, machineById } from '../../app'
import { Button } from '../../ui/button'
import { ConfirmDialog, Dialog } from '../../ui/dialog'
import { Field } from '../../ui/field'
import { formatCount } from '../../ui/format'
import { TextInput } from '../../ui/inputs'
import { ErrorNotice } from '../../ui/notice'
import { forceOff, renameMachine, resetMachines } from './actions'
import { nameProblem } from './name-problem'

const nameOf = (ids: readonly string[]): string => (ids.length === 1 ? (machineById(ids[0] ?? '')?.name ?? 'the machine') : formatCount(ids.length, 'machine'))

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
      <p>QEMU ends at once, like pulling the plug. What the guest has not written to its disks is lost, and its file systems may need a check at the next start.</p>
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

export function RenameDialog({ machine }: { machine: string }) {
  const before = machineById(machine)?.name ?? ''
  const [name, setName] = useState(before)
  const [error, setError] = useState<AppError | null>(null)
  const [busy, setBusy] = useState(false)
  const problem = nameProblem(name, before)
  const rename = async (): Promise<void> => {
    if (problem) return
    setBusy(true)
    const result = await renameMachine(machine, name)
    setBusy(false)
    if (result.ok) closeOverlay()
    else setError(result.error)
  }
  return (
    <Dialog
      title={`Rename ${before}`}
      onClose={closeOverlay}
      width={420}
      footer={
        <>
          <Button onClick={closeOverlay}>Cancel</Button>
          <Button variant="primary" busy={busy} blocked={problem} onClick={() => void rename()}>
            Rename
          </Button>
        </>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void rename()
        }}
      >
        {error && <ErrorNotice error={error} onCopy={copyText} />}
        <Field label="Name" hint="The machine’s folder is renamed with it." error={name === before ? null : problem}>
          <TextInput autoFocus value={name} onChange={setName} onFocus={(event) => event.target.select()} />
        </Field>
      </form>
    </Dialog>
  )
}
