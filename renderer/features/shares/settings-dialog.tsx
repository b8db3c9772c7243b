import { useState } from 'react'
import type { AppError, Share } from '#contract'
import { Button, Checkbox, Dialog, ErrorNotice, Field, Select } from '#ui'
import { call, copyText } from '../../app'
import { holdChoices, labelOf, WRITE_THROUGH } from './words'
import styles from './shares.module.css'

/** How a disk is shared; it holds at once, also for machines that use it. */
export function SettingsDialog({ share, onClose }: { share: Share; onClose: () => void }) {
  const [hold, setHold] = useState(String(share.holdSeconds ?? 0))
  const [writeThrough, setWriteThrough] = useState(share.writeThrough)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<AppError | null>(null)
  const start = async (): Promise<void> => {
    setBusy(true)
    setError(null)
    const result = await call('share.edit', { share: share.id, hold: Number(hold), writeThrough })
    setBusy(false)
    if (!result.ok) return setError(result.error)
    onClose()
  }
  return (
    <Dialog
      title={`How ${labelOf(share)} is shared`}
      onClose={onClose}
      width={480}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="primary" busy={busy} onClick={() => void start()}>
            Set
          </Button>
        </>
      }
    >
      {error && <ErrorNotice error={error} onCopy={copyText} />}
      <div className={styles.stack}>
        <Field label="If nobody can serve it" hint="As when its file is gone. After an I/O error a guest may have to mount its file system anew, or to repair it; one that waits goes on as if nothing had been.">
          <Select label="If nobody can serve it" value={hold} onChange={setHold} options={holdChoices(share.holdSeconds)} />
        </Field>
        <Checkbox checked={writeThrough} onChange={setWriteThrough} label={WRITE_THROUGH.label} note={WRITE_THROUGH.note} blocked={share.mode === 'ro' ? `Only ${share.machine} writes, past the share.` : null} />
      </div>
    </Dialog>
  )
}
