import { create } from 'zustand'

/** A dialog about a disk. */
export interface DiskOverlay {
  kind: 'disk'
  action: DiskAction
  /** Id of the machine. */
  machine: string
  /** Which of its disks; for `add` none. */
  disk: string
  /** `merge`: the layer that takes up what lies above it. */
  nodeName?: string
  /** `undo`, `redo`: the commit that is chosen to begin with. */
  sequence?: number
  /** `rebase`: the image that is chosen to begin with. */
  imageId?: string
}
export const DISK_ACTIONS = [
  'commit',
  'renew',
  'undo',
  'redo',
  'discard',
  'overlay',
  'merge',
  'flatten',
  'resize',
  'add',
  'detach',
  'remove',
  'check',
  'export',
  'clone',
  'rebase',
  'find'
] as const
export type DiskAction = (typeof DISK_ACTIONS)[number]

/** A dialog about a snapshot, or about taking one. */
export interface SnapshotOverlay {
  kind: 'snapshot'
  action: 'take' | 'clone-machine' | 'restore' | 'clone' | 'fork' | 'edit' | 'remove'
  /** Id of the machine whose snapshots these are. */
  machine: string
  /** Its id; of `take` and `clone-machine` none. */
  snapshot: string
}

/** A dialog about a class lab. */
export type LabOverlay =
  /** Null: the one that is chosen in the dialog. */
  | { kind: 'lab'; action: 'deploy'; snapshot: string | null }
  /** Ids; of `recreate` null for all of its machines. */
  | { kind: 'lab'; action: 'recreate' | 'force-off' | 'remove'; lab: string; machine: string | null }

/** What stands over the window; at most one at a time. */
export type Overlay =
  | { kind: 'create' }
  | { kind: 'rename'; machine: string }
  | { kind: 'force-off'; machines: readonly string[] }
  | { kind: 'reset'; machines: readonly string[] }
  | { kind: 'import-image'; path: string }
  /** Id of the image whose file is missing. */
  | { kind: 'find-image'; image: string }
  | DiskOverlay
  /** Null: the first, or the one that is chosen in the dialog. */
  /** `to`: the machine that it was dragged to. */
  | { kind: 'share'; machine: string | null; disk: string | null; to?: string }
  | SnapshotOverlay
  | LabOverlay
  | { kind: 'empty-trash'; trashId: string | null; name: string | null }
  | { kind: 'palette' }
  | { kind: 'shortcuts' }
  | { kind: 'about' }
  | { kind: 'tour-intro' }

export const useOverlay = create<{ overlay: Overlay | null }>(() => ({ overlay: null }))

export const openOverlay = (overlay: Overlay): void => useOverlay.setState({ overlay })
export const closeOverlay = (): void => useOverlay.setState({ overlay: null })
