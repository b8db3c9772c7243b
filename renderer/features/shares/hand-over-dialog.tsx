import { useState } from 'react'
import type { AppError, Share } from '#contract'
import { Button, Checkbox, Dialog, ErrorNotice } from '#ui'
import { callTask, copyText, toast } from '../../app'
import { labelOf } from './words'
import styles from './shares.module.css'

/** Another machine is to write: what happens then, and what stood in the way. */
export function HandOverDialog({ share, to, onClose }: { share: Share; to: { id: string; name: string }; onClose: () => void }) {
  const [unmounted, setUnmounted] = useState(false)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<AppError | null>(null)
  const writer = share.ownerWrites ? share.machine : (share.clients.find(({ writes }) => writes)?.machine ?? 'Nobody')
  const start = async (): Promise<void> => {
    setBusy(true)
    setError(null)
    const result = await callTask('share.hand-over', { share: share.id, machine: to.id, unmounted })
    setBusy(false)
    if (!result.ok) return setError(result.error)
    onClose()
    toast(`${to.name} writes to ${labelOf(share)} now.`, { tone: 'good' })
  }
  return (
    <Dialog
      title={`Let ${to.name} write to ${labelOf(share)}?`}
      onClose={onClose}
      width={480}
      footer={
        <>
          <Button onClick={onClose}>{busy ? 'Hide' : 'Cancel'}</Button>
          <Button variant="primary" busy={busy} onClick={() => void start()}>
            Hand it over
          </Button>
        </>
      }
    >
      <div className={styles.stack}>
        {error && <ErrorNotice error={error} onCopy={copyText} />}
        <ol className={styles.steps}>
          <li>{writer} writes out what it holds back, and unmounts the disk.</li>
          <li>The disk changes hands: from then on QEMU refuses what {writer} writes.</li>
          <li>{to.name} mounts it to write, {writer} to read, each where it was.</li>
        </ol>
        <p className={styles.help}>If a program keeps it busy, nothing changes, and you are told which.</p>
        <Checkbox checked={unmounted} onChange={setUnmounted} label="I have unmounted it in both" note="For guests without an agent, or not Linux: they are not asked." />
      </div>
    </Dialog>
  )
}
