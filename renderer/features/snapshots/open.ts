import { openOverlay, type SnapshotOverlay } from '../../app'

/** Opens a dialog about a snapshot, or about taking one. */
export const openSnapshot = (machine: string, action: SnapshotOverlay['action'], snapshot = ''): void => openOverlay({ kind: 'snapshot', action, machine, snapshot })
