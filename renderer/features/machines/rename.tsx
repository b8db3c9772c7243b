import { useState } from 'react'
import type { AppError } from '#contract'
import { closeOverlay, copyText, machineById } from '../../app'
import { Button } from '../../ui/button'
import { Dialog } from '../../ui/dialog'
import { Field } from '../../ui/field'
import { TextInput } from '../../ui/inputs'
import { ErrorNotice } from '../../ui/notice'
import { renameMachine } from './actions'
import { nameProblem } from './name-problem'

/** Gives a stopped machine another name. */
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
