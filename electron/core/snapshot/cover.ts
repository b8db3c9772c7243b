import { failure, Failure, type Disk, type Layer } from '#contract'
import type { Context } from '../context'
import { fingerprint } from '../disk/fingerprint'
import { layerNode } from '../disk/nodes'
import { activeLayer, sealed, withOverlay } from '../disk/stack'
import { ensurePrivateFolder, linkOrCopy, removeFile, syncFile } from '../host/files'
import { DiskTarget } from '../machine/disk-target'
import type { ManagedMachine } from '../machine/machine'
import { dropNode, makeLayerFile } from '../machine/layer-nodes'
import { isActiveEmpty } from '../machine/overlays'
import type { QmpSession } from '../qmp/session'

/**
 * What a snapshot does to disks: each gets an empty layer on top, so that what lies below never changes again. The files below are then
 * given a second name in the snapshot's folder: they are there as long as anybody needs them, whoever removes what.
 */
export interface Cover {
  /** The disks as the machine has them from now on. */
  after: Disk[]
  /** Lets what was written to the disks so far reach the host's: QEMU does that when it stops the guest, and has less to do then. */
  flush: () => Promise<void>
  /** Puts them on, all at one instant. To be called once, while the guest stands still or is off. */
  apply: () => Promise<void>
  /** Takes back what was made for them. Of no effect once they are on. */
  withdraw: () => Promise<void>
}

const targetsOf = (machine: ManagedMachine, context: Context): DiskTarget[] => machine.definition.disks.map(({ id }) => new DiskTarget(context, machine, id))

/** Commits that were undone cannot follow what is sealed now. @throws wrong-state unless they may go */
export function requireNothingUndone(machine: ManagedMachine, forget: boolean): void {
  const disk = machine.definition.disks.find((one) => one.undone.length > 0)
  if (!disk || forget) return
  throw failure('wrong-state', `${disk.id} of “${machine.name}” has commits that were undone; a snapshot would give them up.`, {
    name: disk.id,
    state: 'has more history',
    next: 'Redo them first, or say that they may go (forget).'
  })
}

/** Makes the files of the new layers. @param note for the history of the disks @throws no-space */
export async function prepareCover(machine: ManagedMachine, context: Context, note: string): Promise<Cover> {
  const { disks: before } = machine.definition
  const qmp = machine.running?.qmp ?? null
  const targets = targetsOf(machine, context)
  const now = Date.now()
  const after: Disk[] = []
  for (const target of targets) {
    const empty = !qmp && target.disk.layers.length > 1 && (await isActiveEmpty(target))
    after.push(empty ? target.disk : withOverlay(await asSealed(target, note, now), {}, now))
  }
  const covered = targets.flatMap((target, index) => (after[index] === target.disk ? [] : [{ target, from: activeLayer(target.disk), disk: after[index]! }]))
  const made: (() => Promise<void>)[] = []
  let applied = false
  const withdraw = async (): Promise<void> => {
    if (!applied) for (const undo of made.splice(0).reverse()) await undo()
  }
  try {
    for (const { target, disk } of covered) {
      await makeLayerFile(target, disk)
      made.push(() => removeFile(target.pathOf(activeLayer(disk).file)))
      if (qmp) made.push(await addNode(qmp, target, activeLayer(disk)))
    }
  } catch (error) {
    await withdraw()
    throw error
  }
  const apply = async (): Promise<void> => {
    await context.machines.redefine(machine, { ...machine.definition, disks: after })
    try {
      if (qmp) await turnTo(qmp, covered.map(({ from, disk }) => ({ from, to: activeLayer(disk) })))
      applied = true
    } catch (error) {
      await context.machines.redefine(machine, { ...machine.definition, disks: before })
      throw error
    }
  }
  const flush = async (): Promise<void> => {
    for (const { target, from } of covered) await syncFile(target.pathOf(from.file))
  }
  return { after, flush, apply, withdraw }
}

async function asSealed(target: DiskTarget, note: string, nowMs: number): Promise<Disk> {
  const active = activeLayer(target.disk)
  return active.commit ? target.disk : sealed(target.disk, note, await target.bytesOf(active.file), nowMs)
}

async function addNode(qmp: QmpSession, target: DiskTarget, layer: Layer): Promise<() => Promise<void>> {
  await qmp.execute('blockdev-add', { ...layerNode(layer, target.pathOf(layer.file), { active: true }), backing: null } as never)
  return () =>
    dropNode(qmp, layer.nodeName).catch((error: unknown) => {
      if (!(error instanceof Failure) || error.error.code !== 'connection-lost') throw error // QEMU has ended, and its nodes with it
    })
}

/** All in one transaction: either every disk goes on with its new layer, or none. Source: transaction, qapi/transaction.json. */
async function turnTo(qmp: QmpSession, steps: { from: Layer; to: Layer }[]): Promise<void> {
  if (steps.length === 0) return
  await qmp.execute('transaction', { actions: steps.map(({ from, to }) => ({ type: 'blockdev-snapshot' as const, data: { node: from.nodeName, overlay: to.nodeName } })) })
}

/** The disks of a snapshot: what lies below the active layers, with how each file is, so that a change by somebody else is noticed. */
export async function snapshotDisks(machine: ManagedMachine, disks: Disk[], folder: { disks: string; disk: (file: string) => string }): Promise<Disk[]> {
  await ensurePrivateFolder(folder.disks)
  const taken: Disk[] = []
  for (const disk of disks) {
    const [, ...below] = disk.layers
    const layers: Layer[] = []
    for (const layer of below) {
      await linkOrCopy(machine.paths.disk(layer.file), folder.disk(layer.file))
      layers.push(layer.frozen ? layer : { ...layer, frozen: await fingerprint(folder.disk(layer.file)) })
    }
    taken.push({ ...disk, layers, undone: [], pending: null, garbage: [] })
  }
  await syncFile(folder.disks)
  return taken
}
