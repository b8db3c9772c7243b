import { describe, expect, it } from 'vitest'
import type { DiskView, ImageFile, Layer } from '#contract'
import { whyNotForGood, whyNotInto } from '../../../../renderer/features/disks/merge-allowed'

const layer = (nodeName: string, sequence: number | null): Layer => ({
  nodeName,
  file: nodeName,
  format: 'qcow2',
  createdAtMs: 0,
  note: '',
  commit: sequence === null ? null : { sequence, atMs: 0, note: '' },
  temporary: false,
  frozen: null
})
const layers = [layer('disk0-3', null), layer('disk0-2', 2), layer('disk0-1', 1)]
const file = (one: Layer, users: string[], snapshots: ImageFile['snapshots'] = []): ImageFile => ({
  path: `/web/${one.file}`,
  format: 'qcow2',
  backing: null,
  virtualSizeBytes: 1,
  fileSizeBytes: 1,
  health: { kind: 'ok' },
  of: { kind: 'layer', machineId: 'web', machine: 'web', disk: 'disk0', place: 'below', layer: one },
  otherNames: [],
  users,
  snapshots,
  sharedWith: []
})
const view = (users: string[], snapshots: ImageFile['snapshots'] = []): DiskView => ({
  machineId: 'web',
  machine: 'web',
  disk: { id: 'disk0', sizeBytes: 1, layers, image: null, undone: [], history: [], nextSequence: 3, nextLayer: 4, pending: null, garbage: [] },
  files: layers.map((one, index) => index === 1 ? file(one, users, snapshots) : file(one, ['web'])),
  undone: [],
  historyBytes: 0,
  historyBudgetBytes: 1,
  inUse: false
})

describe('a layer that linked clones share', () => {
  it('is not merged into, and those that stand on it are named', () => {
    expect(whyNotForGood(view(['web', 'clone']))).toBe('Commit 2 is a layer of clone too, which would be damaged: flatten one of the disks first.')
    expect(whyNotInto(view(['web', 'clone']), 'disk0-1')).toBeNull()
    expect(whyNotForGood(view(['web']))).toBeNull()
  })

  it('nor is one that a snapshot has, which is named', () => {
    const before = view(['web'], [{ id: 'a', name: 'before', machine: 'web' }])
    expect(whyNotForGood(before)).toBe('Commit 2 is a part of the snapshot “before” too: remove it first, or flatten the disk.')
    expect(whyNotInto(before, 'disk0-1')).toBeNull()
  })
})
