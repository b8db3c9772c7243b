import { failure, type AnswerOf, type Disk, type DiskView, type ImageFile, type Layer, type Machine, type OperationName, type ParsedInputOf } from '#contract'
import { activeLayer, flattened, freeDiskId, mergeBegun, mergeDone, newDisk, redoneTo, sealed, undoneTo, withoutActive, withOverlay } from '#core/disk/stack'
import type { Work, World } from './world'

/** Disks of the double's world: the records change as they do in life, by the same functions; the files are imagined. */
type DiskOperation = Extract<OperationName, `disk.${string}` | `overlay.${string}`>
type DiskHandlers = { [N in DiskOperation]: (input: ParsedInputOf<N>, world: World) => AnswerOf<N> | Promise<AnswerOf<N>> }
type OnDisk = { machine: string; disk: string }

const MIB = 2 ** 20
const SEALED_BYTES = 12 * MIB
const EMPTY_BYTES = 192 * 1024

function find({ machine: reference, disk: id }: OnDisk, world: World): { machine: Machine; disk: Disk } {
  const machine = world.machine(reference)
  const disk = machine.definition?.disks.find((one) => one.id === id)
  if (!disk) throw failure('not-found', `“${machine.name}” has no disk ${id}.`, { what: 'disk', name: id })
  return { machine, disk }
}

function replace(machine: Machine, disks: Disk[], world: World): void {
  world.put({ ...machine, definition: { ...machine.definition!, disks } })
}

const pathOf = (machine: Machine, layer: Layer): string => `/home/ada/Strata/machines/${machine.name}/disks/${layer.file}`

/** What a sealed layer took when it was committed; an active one above others is fresh. */
const bytesOf = (disk: Disk, layer: Layer, place: 'active' | 'below' | 'undone'): number =>
  disk.history.find((entry) => entry.sequence === layer.commit?.sequence)?.bytes ?? (place === 'active' && disk.layers.length > 1 ? EMPTY_BYTES : SEALED_BYTES)

function files(machine: Machine, disk: Disk): ImageFile[] {
  const one = (layer: Layer, below: Layer | undefined, place: 'active' | 'below' | 'undone'): ImageFile => ({
    path: pathOf(machine, layer),
    format: layer.format,
    backing: below ? pathOf(machine, below) : (disk.image?.path ?? null),
    virtualSizeBytes: disk.sizeBytes,
    fileSizeBytes: bytesOf(disk, layer, place),
    health: healthOf(layer),
    of: { kind: 'layer', machineId: machine.id, machine: machine.name, disk: disk.id, place, layer },
    otherNames: [],
    users: [machine.name],
    snapshots: [],
    sharedWith: []
  })
  return [
    ...disk.layers.map((layer, index) => one(layer, disk.layers[index + 1], index === 0 ? 'active' : 'below')),
    ...disk.undone.map((layer, index) => one(layer, disk.undone[index - 1] ?? disk.layers[1], 'undone'))
  ]
}

/** No imagined file is as old as 1970: a layer that is recorded so was changed since, and one from before that is gone, and a snapshot has it. */
function healthOf({ frozen, file }: Layer): ImageFile['health'] {
  if (!frozen || frozen.modifiedAtMs > 0) return { kind: 'ok' }
  if (frozen.modifiedAtMs === 0) return { kind: 'changed', message: 'Somebody wrote to it, and layers stand on it.' }
  return { kind: 'missing', message: `“${file}” does not exist.`, foundAt: `/snapshots/one/disks/${file}` }
}

const imageFiles = (world: World): ImageFile[] =>
  [...world.images.values()]
    .filter((image) => image.kind !== 'iso')
    .map((image) => ({
      path: image.path,
      format: image.format ?? 'raw',
      backing: null,
      virtualSizeBytes: image.virtualSizeBytes,
      fileSizeBytes: image.fileSizeBytes,
      health: image.problem === undefined ? { kind: 'ok' } : { kind: 'missing', message: image.problem },
      of: { kind: 'image', imageId: image.id, name: image.name },
      otherNames: [],
      users: [...world.machines.values()].filter((machine) => machine.definition?.disks.some((disk) => disk.image?.imageId === image.id)).map((machine) => machine.name),
      snapshots: [],
      sharedWith: []
    }))

function view(input: OnDisk, world: World): DiskView {
  const { machine, disk } = find(input, world)
  const all = files(machine, disk)
  return {
    machineId: machine.id,
    machine: machine.name,
    disk,
    files: [...all.slice(0, disk.layers.length), ...imageFiles(world).filter((file) => file.path === disk.image?.path)],
    undone: all.slice(disk.layers.length),
    historyBytes: (disk.layers.filter((layer) => layer.commit).length + disk.undone.length) * SEALED_BYTES,
    historyBudgetBytes: world.settings.historyBudgetBytes,
    inUse: 'pid' in machine.state
  }
}

/** A task that changes the record after a while. */
function change(operation: DiskOperation, title: string, input: OnDisk, world: World, act: (disk: Disk, work: Work) => Disk): { taskId: string } {
  const { machine, disk } = find(input, world)
  act(disk, undefined as never) // what is impossible is refused before the task in the double
  const task = world.run(operation, `${title} ${input.disk} of ${machine.name}`, machine.name, async (work) => {
    work.phase(title.toLowerCase())
    await work.pass(600)
    const now = find(input, world)
    replace(now.machine, now.machine.definition!.disks.map((one) => (one.id === input.disk ? { ...act(one, work), garbage: [] } : one)), world)
    return view(input, world)
  })
  return { taskId: task.id }
}

function add(operation: DiskOperation, machineRef: string, sizeBytes: number, image: Disk['image'], world: World): { taskId: string } {
  const machine = world.machine(machineRef)
  const task = world.run(operation, `Add a disk to ${machine.name}`, machine.name, async (work) => {
    await work.pass(400)
    const now = world.machine(machineRef)
    const id = freeDiskId(now.definition!.disks)
    replace(now, [...now.definition!.disks, newDisk(id, sizeBytes, image, Date.now())], world)
    return view({ machine: machineRef, disk: id }, world)
  })
  return { taskId: task.id }
}

const nothingHappens = (operation: DiskOperation, title: string, input: OnDisk, world: World, result: (input: OnDisk) => unknown): { taskId: string } => ({
  taskId: world.run(operation, `${title} ${input.disk} of ${input.machine}`, input.machine, async (work) => {
    await work.pass(500)
    return result(input)
  }).id
})

const commit = (operation: 'overlay.commit' | 'overlay.renew', input: ParsedInputOf<'overlay.commit'>, world: World): { taskId: string } =>
  change(operation, operation === 'overlay.renew' ? 'Renew' : 'Commit', input, world, (disk) => {
    if (input.history && input.into === undefined) return withOverlay(sealed(disk, input.note, SEALED_BYTES, Date.now()), {}, Date.now())
    const { nodeName } = activeLayer(disk)
    return withOverlay(mergeDone(mergeBegun(disk, nodeName), SEALED_BYTES), {}, Date.now())
  })

export const diskHandlers: DiskHandlers = {
  'disk.list': ({ machine }, world) => [
    ...[...world.machines.values()].filter((one) => machine === undefined || one === world.machine(machine)).flatMap((one) => (one.definition?.disks ?? []).flatMap((disk) => files(one, disk))),
    ...imageFiles(world)
  ],
  'disk.show': view,
  'disk.map': (input, world) => {
    const { disk } = find(input, world)
    const ranges = disk.layers.map((layer, index) => ({
      path: layer.file,
      label: layer.nodeName,
      ranges: [{ startBytes: (index * disk.sizeBytes) / 8, lengthBytes: disk.sizeBytes / 16, zero: false }]
    }))
    return { sizeBytes: disk.sizeBytes, layers: ranges, coarse: false }
  },
  'disk.create': (input, world) => add('disk.create', input.machine, input.size, null, world),
  'disk.attach': (input, world) => {
    const image = [...world.images.values()].find((one) => one.id === input.image || one.name === input.image)
    if (!image) throw failure('not-found', `There is no image “${input.image}”.`, { what: 'image', name: input.image })
    return add('disk.attach', input.machine, image.virtualSizeBytes, { path: image.path, format: image.format ?? 'raw', imageId: image.id }, world)
  },
  'disk.import': (input, world) => add('disk.import', input.machine, 2 ** 30, null, world),
  'disk.detach': (input, world) => nothingHappens('disk.detach', 'Detach', input, world, () => [...world.images.values()][0]),
  'disk.remove': (input, world) =>
    nothingHappens('disk.remove', 'Remove', input, world, () => {
      const { machine } = find(input, world)
      replace(machine, machine.definition!.disks.filter((disk) => disk.id !== input.disk), world)
      return { removed: input.disk, freedBytes: SEALED_BYTES }
    }),
  'disk.resize': (input, world) => change('disk.resize', 'Resize', input, world, (disk) => ({ ...disk, sizeBytes: input.size })),
  'disk.check': (input, world) => nothingHappens('disk.check', 'Check', input, world, () => ({ files: view(input, world).files.map(({ path }) => ({ path, leakedClusters: 0, problems: null })) })),
  'disk.repair': (input, world) => nothingHappens('disk.repair', 'Repair', input, world, () => ({ repaired: [], copies: [] })),
  'disk.rebase': (input, world) => change('disk.rebase', 'Rebase', input, world, (disk) => disk),
  'disk.find': (input, world) =>
    change('disk.find', 'Find a file of', input, world, (disk) => ({
      ...disk,
      layers: disk.layers.map((layer) => (layer.frozen ? { ...layer, frozen: { ...layer.frozen, modifiedAtMs: Date.now() } } : layer))
    })),
  'disk.flatten': (input, world) => change('disk.flatten', 'Flatten', input, world, flattened),
  'disk.clone': (input, world) => add('disk.clone', input.to, find(input, world).disk.sizeBytes, null, world),
  'disk.export': (input, world) => nothingHappens('disk.export', 'Export', input, world, () => ({ file: input.file, fileSizeBytes: SEALED_BYTES })),
  'disk.convert': (input, world) => nothingHappens('disk.convert', 'Convert', { machine: input.image, disk: '' }, world, () => [...world.images.values()][0]),

  'overlay.create': (input, world) => change('overlay.create', 'Put an overlay on', input, world, (disk) => withOverlay(disk, { note: input.note }, Date.now())),
  'overlay.commit': (input, world) => commit('overlay.commit', input, world),
  'overlay.renew': (input, world) => commit('overlay.renew', input, world),
  'overlay.undo': (input, world) =>
    change('overlay.undo', 'Undo a commit of', input, world, (disk) => {
      const last = disk.history.filter((entry) => entry.state === 'applied').at(-1)
      return withOverlay(undoneTo(disk, input.to ?? last?.sequence ?? 0), {}, Date.now())
    }),
  'overlay.redo': (input, world) => change('overlay.redo', 'Redo a commit of', input, world, (disk) => withOverlay(redoneTo(disk, input.to), {}, Date.now())),
  'overlay.history': (input, world) => find(input, world).disk.history,
  'overlay.discard': (input, world) => change('overlay.discard', 'Discard what was written to', input, world, (disk) => withOverlay(withoutActive(disk), {}, Date.now())),
  'overlay.keep': (input, world) =>
    change('overlay.keep', 'Keep the overlay of', input, world, (disk) => ({ ...disk, layers: disk.layers.map((layer, index) => (index === 0 ? { ...layer, temporary: false, note: input.note } : layer)) }))
}
