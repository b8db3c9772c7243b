import { Failure, toAppError, type Disk, type DiskMap, type DiskView, type FileHealth, type ImageFile, type Layer } from '#contract'
import type { Context } from '../context'
import { isAsRecorded } from '../disk/fingerprint'
import { mapLayer } from '../disk/qemu-img'
import { fileFacts } from '../host/files'
import { diskTarget, type DiskTarget } from './disk-target'
import type { ManagedMachine } from './machine'
import { sharedWith, snapshotsByFile, snapshotsOnImage } from './file-users'
import { historyBytes } from './overlays'
import { whereElse } from './same-file'

/** Every image file that machines need, or one machine does: one each, whatever the number of its names. Layers first, from the top of each disk down. */
export async function listFiles(context: Context, machine?: ManagedMachine): Promise<ImageFile[]> {
  const machines = machine ? [machine] : context.machines.all()
  const needed = new Set(machines.flatMap((one) => one.definition.disks.flatMap((disk) => (disk.image ? [disk.image.path] : []))))
  const images = context.images.recorded().filter((image) => image.kind !== 'iso' && (!machine || needed.has(image.path)))
  return [
    ...(await listLayers(context, machine)),
    ...(await Promise.all(
      images.map(async (image) => {
        const { fileSizeBytes, health } = await look(image.path, async () => context.images.verify(image))
        return {
          path: image.path,
          format: image.format,
          backing: null,
          virtualSizeBytes: image.virtualSizeBytes,
          fileSizeBytes,
          health,
          of: { kind: 'image' as const, imageId: image.id, name: image.name },
          otherNames: [],
          users: context.machines.usersOfImage(image.id),
          snapshots: snapshotsOnImage(context, image.id),
          sharedWith: []
        }
      })
    ))
  ]
}

/** A layer's file under one of its names. */
interface NamedLayer {
  file: ImageFile
  /** Of a file that has several names: the same for each. */
  sharedId: string | null
}

async function listLayers(context: Context, machine?: ManagedMachine): Promise<ImageFile[]> {
  const lookAt = (machines: readonly ManagedMachine[]): Promise<NamedLayer[]> => Promise.all(machines.flatMap((one) => one.definition.disks.flatMap((disk) => layerFiles(context, one, disk))))
  if (!machine) return joinNames(await noteSnapshots(context, await lookAt(context.machines.all())))
  const own = await noteSnapshots(context, await lookAt([machine]))
  if (own.every(({ sharedId }) => sharedId === null)) return own.map(({ file }) => file)
  // Who else has them is known to the other machines alone.
  const others = await lookAt(context.machines.all().filter((one) => one !== machine))
  return joinNames([...own, ...others.filter(({ sharedId }) => sharedId !== null)]).filter(({ of }) => of.kind === 'layer' && of.machineId === machine.definition.id)
}

/** Only a file that has several names can be a snapshot's too. */
async function noteSnapshots(context: Context, layers: NamedLayer[]): Promise<NamedLayer[]> {
  if (layers.every(({ sharedId }) => sharedId === null)) return layers
  const byFile = await snapshotsByFile(context)
  return layers.map(({ file, sharedId }) => ({ sharedId, file: { ...file, snapshots: (sharedId !== null && byFile.get(sharedId)) || [] } }))
}

/** One entry a file: the first of its names, with the others. */
function joinNames(layers: readonly NamedLayer[]): ImageFile[] {
  const shared = new Map<string, ImageFile>()
  const files: ImageFile[] = []
  for (const { file, sharedId } of layers) {
    const known = sharedId === null ? undefined : shared.get(sharedId)
    if (known) {
      known.otherNames.push({ path: file.path, backing: file.backing, of: file.of })
      known.users = [...new Set([...known.users, ...file.users])]
      known.sharedWith = [...new Set([...known.sharedWith, ...file.sharedWith])]
      // Each disk has recorded by itself how the file was.
      if (known.health.kind === 'ok') known.health = file.health
    } else {
      if (sharedId !== null) shared.set(sharedId, file)
      files.push(file)
    }
  }
  return files
}

export async function viewDisk(target: DiskTarget, context: Context): Promise<DiskView> {
  const { machine, disk } = target
  const [layers, all] = await Promise.all([Promise.all(layerFiles(context, machine, disk)), listFiles(context, machine)])
  const usersOf = new Map(all.flatMap(({ path, otherNames, users, snapshots }) => [path, ...otherNames.map((other) => other.path)].map((name) => [name, { users, snapshots }] as const)))
  const files = layers.map(({ file }): ImageFile => ({ ...file, ...usersOf.get(file.path) }))
  const placed = (place: 'undone' | 'other'): ImageFile[] => files.filter((file) => file.of.kind === 'layer' && (file.of.place === 'undone') === (place === 'undone'))
  return {
    machineId: machine.definition.id,
    machine: machine.name,
    disk,
    files: [...placed('other'), ...all.filter((file) => file.path === disk.image?.path)],
    undone: placed('undone'),
    historyBytes: await historyBytes(target).catch(() => 0), // a missing file is told with the file
    historyBudgetBytes: context.settings.value.historyBudgetBytes,
    inUse: 'pid' in machine.state
  }
}

export const showDisk = (input: { machine: string; disk: string }, context: Context): Promise<DiskView> => viewDisk(diskTarget(input, context), context)

function layerFiles(context: Context, machine: ManagedMachine, disk: Disk): Promise<NamedLayer>[] {
  const clients = sharedWith(context, machine, disk)
  const pathOf = (layer: Layer): string => machine.paths.disk(layer.file)
  const file = async (layer: Layer, below: Layer | undefined, place: 'active' | 'below' | 'undone'): Promise<NamedLayer> => {
    const { sharedId, ...seen } = await look(pathOf(layer), async () => {
      if (layer.frozen && !(await isAsRecorded(pathOf(layer), layer.frozen))) return { kind: 'changed', message: 'Somebody wrote to it, and layers stand on it.' }
      return undefined
    })
    const foundAt = seen.health.kind === 'missing' ? await whereElse(machine, layer, context) : null
    const entry: ImageFile = {
      path: pathOf(layer),
      format: layer.format,
      backing: below ? pathOf(below) : (disk.image?.path ?? null),
      virtualSizeBytes: disk.sizeBytes,
      ...seen,
      ...(foundAt === null || seen.health.kind === 'ok' ? {} : { health: { ...seen.health, foundAt } }),
      of: { kind: 'layer', machineId: machine.definition.id, machine: machine.name, disk: disk.id, place, layer },
      otherNames: [],
      users: [machine.name],
      snapshots: [],
      sharedWith: clients
    }
    return { file: entry, sharedId }
  }
  return [
    ...disk.layers.map((layer, index) => file(layer, disk.layers[index + 1], index === 0 ? 'active' : 'below')),
    // The first to be redone stands on what is active now, if that is thrown away: on the layer below it.
    ...disk.undone.map((layer, index) => file(layer, index === 0 ? topmostSealed(disk) : disk.undone[index - 1], 'undone'))
  ]
}

const topmostSealed = (disk: Disk): Layer | undefined => disk.layers.find((layer, index) => layer.commit !== null || index > 0)

async function look(path: string, examine: () => Promise<FileHealth | void>): Promise<{ fileSizeBytes: number; health: FileHealth; sharedId: string | null }> {
  try {
    const { allocatedBytes: fileSizeBytes, sharedId } = await fileFacts(path)
    try {
      return { fileSizeBytes, sharedId, health: (await examine()) ?? { kind: 'ok' } }
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return { fileSizeBytes, sharedId, health: { kind: 'changed', message: error.message } }
    }
  } catch (error) {
    const { code, message } = toAppError(error)
    return { fileSizeBytes: 0, sharedId: null, health: { kind: code === 'not-found' ? 'missing' : 'unreadable', message } }
  }
}

/** Where each layer of a disk holds data. Nearby ranges are joined until there are at most so many a layer. */
export async function mapDisk(target: DiskTarget, most: number): Promise<DiskMap> {
  const { disk } = target
  const files = [
    ...disk.layers.map((layer) => ({ path: target.pathOf(layer.file), format: layer.format, label: layer.nodeName })),
    ...(disk.image ? [{ path: disk.image.path, format: disk.image.format, label: 'image' }] : [])
  ]
  let coarse = false
  const layers = await Promise.all(
    files.map(async ({ path, format, label }) => {
      const all = joined(await mapLayer({ path, format }), 0)
      const ranges = all.length <= most ? all : joined(all, gapFor(all, most))
      coarse ||= ranges.length < all.length
      return { path, label, ranges }
    })
  )
  return { sizeBytes: disk.sizeBytes, layers, coarse }
}

type Range = DiskMap['layers'][number]['ranges'][number]

/** Joins ranges of one kind that are at most so far apart. */
export function joined(ranges: readonly Range[], gapBytes: number): Range[] {
  const result: Range[] = []
  for (const range of ranges) {
    const last = result.at(-1)
    if (last && last.zero === range.zero && range.startBytes - (last.startBytes + last.lengthBytes) <= gapBytes) {
      last.lengthBytes = range.startBytes + range.lengthBytes - last.startBytes
    } else result.push({ ...range })
  }
  return result
}

/** The smallest gap that leaves few enough ranges. */
function gapFor(ranges: readonly Range[], most: number): number {
  const gaps = ranges.slice(1).map((range, index) => range.startBytes - (ranges[index]!.startBytes + ranges[index]!.lengthBytes))
  return gaps.sort((a, b) => a - b)[Math.max(0, ranges.length - most)] ?? Infinity
}
