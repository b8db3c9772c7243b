import { failure } from '#contract'
import { createEmptyLayer } from '../disk/empty-layer'
import { underneath } from '../disk/nodes'
import { activeLayer, withOverlay } from '../disk/stack'
import { removeFile } from '../host/files'
import type { ManagedMachine } from '../machine/machine'
import type { Machines } from '../machine/machines'

/**
 * Before a storage daemon writes to a disk whose machine is off: as at the machine's own start, what is committed is covered by an overlay.
 * @throws wrong-state (something was cut off; the machine's start finishes it), no-space
 */
export async function makeWritable(machines: Machines, owner: ManagedMachine, diskId: string): Promise<void> {
  const { definition, paths } = owner
  const disk = definition.disks.find(({ id }) => id === diskId)!
  if (disk.pending) {
    throw failure('wrong-state', `An operation on ${diskId} of “${owner.name}” was cut off.`, { name: diskId, state: 'pending', next: `Start “${owner.name}”: that finishes it.` })
  }
  if (!activeLayer(disk).commit) return
  const covered = withOverlay(disk, {}, Date.now())
  const path = paths.disk(activeLayer(covered).file)
  await removeFile(path) // of one that was cut off
  await createEmptyLayer(path, disk.sizeBytes, underneath(covered, 0, paths.disk))
  await machines.redefine(owner, { ...definition, disks: definition.disks.map((one) => (one.id === diskId ? covered : one)) })
}
