import type { Disk, SnapshotRecord } from '#contract'
import type { Context } from '../context'
import { fileFacts } from '../host/files'
import type { ManagedMachine } from './machine'

/** A snapshot that has a file, or stands on it. */
export interface Holder {
  id: string
  name: string
  machine: string
}

/**
 * Snapshots by the files of layers that they have: a snapshot's file is another name of the layer's, and is told by that.
 * @returns by `sharedId` of the file
 */
export async function snapshotsByFile({ snapshots }: Context): Promise<ReadonlyMap<string, Holder[]>> {
  const all = snapshots.all()
  const held = await Promise.all(all.map((record) => filesOf(record, (file) => snapshots.paths(record.id).disk(file))))
  const byFile = new Map<string, Holder[]>()
  for (const [index, ids] of held.entries()) for (const id of ids) byFile.set(id, [...(byFile.get(id) ?? []), holderOf(all[index]!)])
  return byFile
}

async function filesOf({ definition }: SnapshotRecord, pathOf: (file: string) => string): Promise<Set<string>> {
  const files = definition.disks.flatMap((disk) => disk.layers.map((layer) => pathOf(layer.file)))
  const facts = await Promise.all(files.map((path) => fileFacts(path).catch(() => null))) // missing: told where snapshots are looked at
  return new Set(facts.flatMap((one) => one?.sharedId ?? []))
}

/** Snapshots that stand on an image of the library. */
export const snapshotsOnImage = ({ snapshots }: Context, imageId: string): Holder[] =>
  snapshots
    .all()
    .filter(({ definition }) => definition.disks.some((disk) => disk.image?.imageId === imageId))
    .map(holderOf)

/** Names of the machines that a disk is shared with. */
export const sharedWith = ({ shares }: Context, machine: ManagedMachine, disk: Disk): string[] => shares.clientsOf(machine, disk.id).map(({ name }) => name)

const holderOf = ({ id, name, machine }: SnapshotRecord): Holder => ({ id, name, machine })
