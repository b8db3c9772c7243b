import { useEffect } from 'react'
import type { DiskView, Machine } from '#contract'
import { Dialog, ErrorNotice } from '#ui'
import { closeOverlay, copyText, useMachine, type DiskOverlay } from '../../../app'
import { chosenDisk } from '../choice'
import { useLive } from '../live'
import { AddDialog } from './add'
import { CheckDialog } from './check'
import { CommitDialog } from './commit'
import { CloneDialog, ExportDialog, RebaseDialog } from './copies'
import { DetachDialog, RemoveDialog, ResizeDialog } from './device'
import { FindDialog } from './find'
import { RedoDialog, UndoDialog } from './history'
import { DiscardDialog, FlattenDialog, MergeDialog, OverlayDialog } from './layers'

export interface DiskDialogProps {
  machine: Machine
  view: DiskView
  overlay: DiskOverlay
}

/** The dialogs about disks: whichever is open, over the disk as it is now. */
export function DiskDialogs({ overlay }: { overlay: DiskOverlay }) {
  const machine = useMachine(overlay.machine)
  if (!machine) return <Gone />
  if (overlay.action === 'add') return <AddDialog machine={machine} />
  return <OverDisk machine={machine} overlay={overlay} />
}

function OverDisk({ machine, overlay }: { machine: Machine; overlay: DiskOverlay }) {
  const disk = overlay.disk || chosenDisk(machine)
  const { value, error } = useLive('disk.show', disk === undefined ? null : { machine: machine.id, disk }, null)
  // A disk that has just been removed, by this dialog too, is nothing to show an error about.
  if (value && machine.definition?.disks.some((one) => one.id === disk)) return <Chosen machine={machine} view={value} overlay={overlay} />
  if (!error) return null
  return (
    <Dialog title={`${overlay.disk} of ${machine.name}`} onClose={closeOverlay}>
      <ErrorNotice error={error} onCopy={copyText} />
    </Dialog>
  )
}

function Chosen(props: DiskDialogProps) {
  switch (props.overlay.action) {
    case 'commit':
    case 'renew':
      return <CommitDialog {...props} renew={props.overlay.action === 'renew'} />
    case 'undo':
      return <UndoDialog {...props} />
    case 'redo':
      return <RedoDialog {...props} />
    case 'discard':
      return <DiscardDialog {...props} />
    case 'overlay':
      return <OverlayDialog {...props} />
    case 'merge':
      return <MergeDialog {...props} />
    case 'flatten':
      return <FlattenDialog {...props} />
    case 'resize':
      return <ResizeDialog {...props} />
    case 'detach':
      return <DetachDialog {...props} />
    case 'remove':
      return <RemoveDialog {...props} />
    case 'check':
      return <CheckDialog {...props} />
    case 'export':
      return <ExportDialog {...props} />
    case 'clone':
      return <CloneDialog {...props} />
    case 'rebase':
      return <RebaseDialog {...props} />
    case 'find':
      return <FindDialog {...props} />
    case 'add':
      return null
  }
}

/** Its machine was deleted while it was open. */
function Gone() {
  useEffect(closeOverlay, [])
  return null
}
