import type { Layer } from '#contract'
import { Failure } from '#contract'
import type { Context } from '../context'
import { compareWith, type Fingerprint } from '../disk/fingerprint'
import type { ManagedMachine } from './machine'

/** Where a layer's file is under another name, and how it is recorded there. */
interface Other {
  path: string
  layer: Layer
  /** It is the layer by its name and age, whatever is recorded of the machine's own. */
  certain: boolean
}

/**
 * Where the very file of a layer still is, if it is missing from its machine's folder: linked clones and snapshots have it under names of their
 * own, which stay when one of them is deleted.
 * @returns its path; null if nobody is known to have it, or has it as it was
 */
export async function whereElse({ definition, paths }: ManagedMachine, layer: Layer, context: Context): Promise<string | null> {
  for (const other of others(definition.id, layer, context)) {
    if (other.path === paths.disk(layer.file) || !other.layer.frozen) continue
    if (!other.certain && !(layer.frozen && alike(layer.frozen, other.layer.frozen))) continue
    if (await isStill(other.path, layer.frozen ?? other.layer.frozen)) return other.path
  }
  return null
}

function* others(machineId: string, { nodeName, createdAtMs }: Layer, { machines, snapshots }: Context): Generator<Other> {
  for (const record of snapshots.all()) {
    for (const layer of record.definition.disks.flatMap((disk) => disk.layers)) {
      const certain = record.machineId === machineId && layer.nodeName === nodeName && layer.createdAtMs === createdAtMs
      yield { path: snapshots.paths(record.id).disk(layer.file), layer, certain }
    }
  }
  for (const { definition, paths } of machines.all()) {
    for (const layer of definition.disks.flatMap((disk) => [...disk.layers, ...disk.undone])) yield { path: paths.disk(layer.file), layer, certain: false }
  }
}

const alike = (one: Fingerprint, other: Fingerprint): boolean => one.headSha256 === other.headSha256 && one.sizeBytes === other.sizeBytes

async function isStill(path: string, recorded: Fingerprint): Promise<boolean> {
  try {
    return (await compareWith(path, recorded)) === 'same'
  } catch (error) {
    if (error instanceof Failure) return false // missing there too, or not to be read
    throw error
  }
}
