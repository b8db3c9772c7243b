import { useCallback, useEffect, useState } from 'react'
import { Undo2 } from 'lucide-react'
import type { AppError, ResultOf } from '#contract'
import { Button, ConfirmDialog, ErrorNotice, formatCount, formatSize, RelativeTime } from '#ui'
import { attempt, call, copyText, toast, useMachines } from '../../app'
import { restoreRemoved } from '../machines'
import styles from './settings.module.css'

type Removed = ResultOf<'machine.list-removed'>

/** Deleted machines, until they are deleted for good. */
export function Trash() {
  const [removed, setRemoved] = useState<Removed | null>(null)
  const [asking, setAsking] = useState<Removed | null>(null)
  const machines = useMachines((state) => state.byId)
  const [unread, setUnread] = useState<AppError | null>(null)
  const read = useCallback(async (isOver: () => boolean = () => false) => {
    const answer = await call('machine.list-removed', {})
    if (isOver()) return
    setUnread(answer.ok ? null : answer.error)
    if (answer.ok) setRemoved(answer.value)
  }, [])
  // A machine that was deleted or brought back changes both lists.
  useEffect(() => {
    let over = false
    void (async () => read(() => over))()
    return () => {
      over = true
    }
  }, [machines, read])

  const deleteForGood = async (which: Removed): Promise<void> => {
    setAsking(null)
    let freedBytes = 0
    let deleted = 0
    for (const { trashId } of which) {
      const answer = await attempt('machine.empty-trash', { trashId })
      if (!answer.ok) break
      freedBytes += answer.value.freedBytes
      deleted++
    }
    if (deleted > 0) toast(`${formatCount(deleted, 'machine')} deleted for good; ${formatSize(freedBytes)} given back.`)
    await read()
  }
  const total = removed?.reduce((bytes, one) => bytes + one.diskBytes, 0) ?? 0
  return (
    <>
      <header className={styles.trashHead}>
        <h2>Trash</h2>
        <Button size="small" blocked={removed?.length ? null : 'The trash is empty.'} onClick={() => removed && setAsking(removed)}>
          Empty the trash
        </Button>
      </header>
      {unread && (
        <ErrorNotice
          error={unread}
          onCopy={copyText}
          actions={
            <Button size="small" onClick={() => void read()}>
              Try again
            </Button>
          }
        />
      )}
      {removed?.length === 0 && <p className={styles.note}>Empty. Deleted machines wait here until you delete them for good.</p>}
      <ul className={styles.trash}>
        {removed?.map((one) => (
          <li key={one.trashId}>
            <span className={styles.name}>{one.name}</span>
            <span className={styles.note}>{formatSize(one.diskBytes)}</span>
            <span className={styles.note}>
              <RelativeTime atMs={one.removedAtMs} />
            </span>
            <Button size="small" icon={Undo2} onClick={() => void restoreRemoved([one.trashId])}>
              Restore
            </Button>
            <Button size="small" variant="quiet" onClick={() => setAsking([one])}>
              Delete for good
            </Button>
          </li>
        ))}
      </ul>
      {asking && (
        <ConfirmDialog
          title="Delete for good?"
          verb="Delete for good"
          danger
          onConfirm={() => void deleteForGood(asking)}
          onClose={() => setAsking(null)}
        >
          <p>
            {asking.length === 1 ? `“${asking[0]?.name}”` : formatCount(asking.length, 'machine')} and all that is on{' '}
            {asking.length === 1 ? 'its' : 'their'} disks cannot be brought back after this.
            {asking.length > 1 && ` ${formatSize(total)} are given back.`}
          </p>
        </ConfirmDialog>
      )}
    </>
  )
}
