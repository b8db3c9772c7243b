import { useState } from 'react'
import type { Machine } from '#contract'
import { Banner, Button, ConfirmDialog, Field, TextInput } from '#ui'
import { attemptTask, openOverlay, toast } from '../../app'
import { chooseDisk } from './choice'

/** A machine that writes to throw-away overlays, or has: what becomes of what was written is for the user to say. */
export function TemporaryBanner({ machine }: { machine: Machine }) {
  const [asking, setAsking] = useState(false)
  const [committing, setCommitting] = useState(false)
  const [note, setNote] = useState('')
  const disks = (machine.definition?.disks ?? []).filter((disk) => disk.layers[0]?.temporary)
  const [first] = disks
  if (!first) return null
  if ('pid' in machine.state || machine.state.kind === 'starting') {
    return (
      <Banner flush tone="info">
        This run writes to a throw-away overlay. When {machine.name} is off, you say whether what was written stays.
      </Banner>
    )
  }
  const each = async (operation: 'overlay.keep' | 'overlay.discard' | 'overlay.commit', done: string, more: { note?: string } = {}): Promise<void> => {
    for (const disk of disks) {
      const result = await attemptTask(operation, { machine: machine.id, disk: disk.id, ...more })
      if (!result.ok) return
    }
    toast(done, { tone: 'good' })
  }
  const commit = (): void => {
    if (disks.length > 1) return setCommitting(true)
    chooseDisk(machine.id, first.id)
    openOverlay({ kind: 'disk', action: 'commit', machine: machine.id, disk: first.id })
  }
  return (
    <Banner
      flush
      tone="warning"
      actions={
        <>
          <Button
            size="small"
            hint="The overlay stays, as any other: the next run goes on with it."
            onClick={() => void each('overlay.keep', 'What was written is kept.')}
          >
            Keep
          </Button>
          <Button size="small" hint="It becomes a commit, which can be undone." onClick={commit}>
            Commit…
          </Button>
          <Button size="small" onClick={() => setAsking(true)}>
            Discard…
          </Button>
        </>
      }
    >
      The last run wrote to a throw-away overlay{disks.length > 1 ? ` on each of ${disks.length} disks` : ''}. What shall become of it?
      {committing && (
        <ConfirmDialog
          title="Commit what the last run wrote?"
          verb={`Commit ${disks.length} disks`}
          onClose={() => setCommitting(false)}
          onConfirm={() => {
            setCommitting(false)
            void each('overlay.commit', 'What was written is committed, and can be undone.', { note })
          }}
        >
          <p>
            What was written to {disks.map((disk) => disk.id).join(', ')} of {machine.name} becomes a commit of each of them. To commit only
            some, do so on their own pages, and keep or discard the rest.
          </p>
          <Field label="Note" hint="What it is, for the history of each.">
            <TextInput value={note} maxLength={500} onChange={setNote} />
          </Field>
        </ConfirmDialog>
      )}
      {asking && (
        <ConfirmDialog
          title="Discard what the last run wrote?"
          verb="Discard"
          danger
          onClose={() => setAsking(false)}
          onConfirm={() => {
            setAsking(false)
            void each('overlay.discard', 'What was written is gone; the disks are as they were before the run.')
          }}
        >
          <p>
            {disks.map((disk) => disk.id).join(', ')} of {machine.name} will be as before that run. What was written in it cannot be brought back.
          </p>
        </ConfirmDialog>
      )}
    </Banner>
  )
}
