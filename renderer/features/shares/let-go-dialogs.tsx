import { useState, type ReactNode } from 'react'
import type { Share, ShareClient } from '#contract'
import { Button, Checkbox, Dialog, ErrorNotice, formatCount } from '#ui'
import { copyText, toast } from '../../app'
import { useTaskRun, type TaskRun } from '../task-dialog'
import { labelOf } from './words'
import styles from './shares.module.css'

interface LetGoProps {
  title: string
  verb: string
  work: TaskRun
  /** What is lost where a program uses it; null: nobody is asked to unmount it. */
  lost: string | null
  onRun: (force: boolean) => void
  onClose: () => void
  children: ReactNode
}

/** Guests are to let go of a disk: what that means for them, and what stood in the way. */
function LetGoDialog({ title, verb, work, lost, onRun, onClose, children }: LetGoProps) {
  const [force, setForce] = useState(false)
  return (
    <Dialog
      title={title}
      onClose={onClose}
      width={480}
      footer={
        <>
          <Button onClick={onClose}>{work.busy ? 'Hide' : 'Cancel'}</Button>
          <Button variant={force ? 'danger' : 'primary'} busy={work.busy} onClick={() => onRun(force)}>
            {verb}
          </Button>
        </>
      }
    >
      <div className={styles.stack}>
        {work.error && <ErrorNotice error={work.error} onCopy={copyText} />}
        {children}
        {lost !== null && <Checkbox checked={force} onChange={setForce} label="Also if a program uses it" note={`It is not unmounted then. ${lost}`} />}
      </div>
    </Dialog>
  )
}

const READER_LOSES = 'The program gets I/O errors; what is on the disk stays as it is.'
const WRITER_LOSES = 'The program gets I/O errors, and what the guest has not written to the disk yet is lost.'

/** Takes the disk from a guest that runs. */
export function DetachDialog({ share, client, onClose }: { share: Share; client: ShareClient; onClose: () => void }) {
  const work = useTaskRun()
  const { machine, machineId, writes } = client
  const run = async (force: boolean): Promise<void> => {
    if (!(await work.run('share.detach', { share: share.id, machine: machineId, force }))) return
    onClose()
    toast(`${machine} does not have ${labelOf(share)} any more.`, { tone: 'good' })
  }
  return (
    <LetGoDialog
      title={`Take ${labelOf(share)} from ${machine}?`}
      verb="Take it"
      work={work}
      lost={share.cluster ? null : writes ? WRITER_LOSES : READER_LOSES}
      onRun={(force) => void run(force)}
      onClose={onClose}
    >
      <p>
        Its guest writes out what it holds back, unmounts the disk, and lets go of it.{share.cluster ? ' It leaves the cluster.' : writes && ` ${share.machine} writes then.`}
      </p>
      <p className={styles.help}>If a program keeps it busy, nothing changes, and you are told which, and in which folder.</p>
    </LetGoDialog>
  )
}

/** Takes it from all. */
export function EndDialog({ share, onClose }: { share: Share; onClose: () => void }) {
  const work = useTaskRun()
  const holding = share.clients.filter(({ state }) => state !== 'off' && state !== 'unplugged')
  const run = async (force: boolean): Promise<void> => {
    if (!(await work.run('share.remove', { share: share.id, force }))) return
    onClose()
    toast(`${labelOf(share)} is shared no more.`, { tone: 'good' })
  }
  return (
    <LetGoDialog
      title={`End the share of ${labelOf(share)}?`}
      verb="End the share"
      work={work}
      lost={holding.length === 0 || share.cluster ? null : holding.some(({ writes }) => writes) ? WRITER_LOSES : READER_LOSES}
      onRun={(force) => void run(force)}
      onClose={onClose}
    >
      <p>
        {holding.length === 0 ? 'No other machine uses it now.' : `${formatCount(holding.length, 'guest')} that ${holding.length === 1 ? 'has it unmounts it, and lets' : 'have it unmount it, and let'} go of it.`} What is on
        the disk stays as it is.
      </p>
      {share.cluster && <p>Its file system is OCFS2: to read it again, share the disk again in the same way.</p>}
      {holding.length > 0 && <p className={styles.help}>Where a program keeps it busy, that guest keeps it, and you are told which program.</p>}
    </LetGoDialog>
  )
}
