import { failure, type Disk, type ParsedInputOf } from '#contract'
import type { Context } from '../context'
import { activeLayer, appliedCommits, freeDiskId, newDisk, withoutUndone } from '../disk/stack'
import { syncFile } from '../host/files'
import { throwIfCancelled, type Work } from '../task/work'
import { makeFilesOf } from './create'
import { plug, writeWhole } from './disk-operations'
import { DiskTarget, diskTarget, reserved } from './disk-target'
import { linkDisk } from './link-disk'
import type { ManagedMachine } from './machine'
import { finishPending, isActiveEmpty, requireForgettable, sealActive } from './overlays'

type Input = ParsedInputOf<'disk.clone'>

/**
 * Gives a machine a copy of a disk: one file of its own, or, linked, another name for the layers that there are now. To those nobody writes any
 * more: what was written is sealed, and the disk itself goes on with an empty layer on top, as does the copy.
 * @throws in-use (either machine), wrong-state (it runs; commits would be given up), no-space, bad-file, not-found
 */
export async function cloneDisk(input: Input, context: Context, work: Work): Promise<DiskTarget> {
  const source = diskTarget(input, context)
  source.requireOff('copying')
  const to = context.machines.get(input.to)
  return reserved(source, 'is being copied', async () => {
    const release = to === source.machine ? () => {} : to.reserve('a disk is being added')
    try {
      const id = freeDiskId(to.definition.disks)
      if (input.linked) await settle(source, input, to, work)
      const target = new DiskTarget(context, to, id)
      const disk = await makeFilesOf(id, to.paths, work, async () => {
        const made = input.linked ? await linked(source, id, to, work) : await whole(source, id, to, work)
        throwIfCancelled(work.signal)
        if (to.running) await plug(to.running.qmp, target, made)
        return made
      })
      work.pointOfNoReturn()
      await context.machines.redefine(to, { ...to.definition, disks: [...to.definition.disks, disk] })
      await Promise.all([to.measureDisks(), source.machine.measureDisks()])
      return target
    } finally {
      release()
    }
  })
}

async function whole(source: DiskTarget, id: string, to: ManagedMachine, work: Work): Promise<Disk> {
  const disk = newDisk(id, source.disk.sizeBytes, null, Date.now())
  work.phase('copying the disk')
  await writeWhole(source, source.disk, { path: to.paths.disk(activeLayer(disk).file), format: 'qcow2' }, work)
  return disk
}

/** Leaves nothing in the active layer that the copy has to have: what was written there becomes a commit, so that both can go back to before it. */
async function settle(source: DiskTarget, { forget }: Input, to: ManagedMachine, work: Work): Promise<void> {
  await finishPending(source, work)
  await source.requireSound()
  const active = activeLayer(source.disk)
  if (active.commit || (await isActiveEmpty(source))) return
  if (active.temporary) {
    throw failure('wrong-state', `${source.label} holds what a temporary run has written.`, { name: source.disk.id, state: 'temporary', next: 'Keep it, commit it or discard it first.' })
  }
  requireForgettable(source, appliedCommits(source.disk.undone), forget)
  await sealActive(source, { note: `To clone it to “${to.name}”.`, renew: true }, work)
}

/** The history goes with the layers: the copy can undo what was committed, as the disk itself can. */
async function linked({ disk, pathOf }: DiskTarget, id: string, to: ManagedMachine, work: Work): Promise<Disk> {
  const layers = activeLayer(disk).commit ? disk.layers : disk.layers.slice(1)
  work.phase('linking its layers')
  const made = await linkDisk({ ...withoutUndone(disk), id, layers, garbage: [], pending: null }, 1, pathOf, to.paths.disk)
  await syncFile(to.paths.disks)
  return made
}
