import { failure, type AnswerOf, type Machine, type OperationName, type ParsedInputOf, type Snapshot } from '#contract'
import type { Work, World } from './world'

/** Snapshots of the double's world: what is listed changes as in life; memory and disks are imagined. */
type SnapshotOperation = Extract<OperationName, `snapshot.${string}` | 'machine.clone'>
type SnapshotHandlers = { [N in SnapshotOperation]: (input: ParsedInputOf<N>, world: World) => AnswerOf<N> | Promise<AnswerOf<N>> }

const MIB = 2 ** 20
const MEMORY_SHARE = 0.3

/** By world: a window test has a world of its own. */
const taken = new WeakMap<World, Map<string, Snapshot>>()
export function snapshotsOf(world: World): Map<string, Snapshot> {
  const found = taken.get(world) ?? new Map<string, Snapshot>()
  taken.set(world, found)
  return found
}

function find(reference: string, world: World): Snapshot {
  const snapshots = snapshotsOf(world)
  const found = snapshots.get(reference) ?? [...snapshots.values()].findLast((one) => one.name === reference)
  if (!found) throw failure('not-found', `There is no snapshot “${reference}”.`, { what: 'snapshot', name: reference })
  return { ...found, here: [...world.machines.values()].filter((machine) => machine.definition?.snapshot === found.id).map((machine) => machine.name) }
}

function put(snapshot: Snapshot, world: World): Snapshot {
  snapshotsOf(world).set(snapshot.id, snapshot)
  world.emit({ kind: 'snapshot-changed', snapshot })
  return snapshot
}

export function takeNow(machine: Machine, given: { name: string; note?: string; takenAtMs?: number }, world: World): Snapshot {
  const on = 'pid' in machine.state
  const memoryBytes = machine.definition!.memoryBytes
  const snapshot: Snapshot = {
    schemaVersion: 1,
    id: world.newId('snapshot'),
    name: given.name,
    note: given.note ?? '',
    takenAtMs: given.takenAtMs ?? Date.now(),
    machineId: machine.id,
    machine: machine.name,
    parentId: machine.definition!.snapshot ?? null,
    was: on ? (machine.state.kind === 'paused' ? 'paused' : 'running') : 'off',
    screen: false,
    cpus: machine.definition!.cpus,
    memoryBytes,
    disks: machine.definition!.disks.length,
    method: on ? 'copied' : null,
    stallMs: on ? 24 : null,
    ownBytes: on ? memoryBytes * MEMORY_SHARE : MIB,
    sharedBytes: 96 * MIB,
    here: [machine.name],
    archivedAtMs: null,
    ready: true,
    problem: null
  }
  world.define(machine, { snapshot: snapshot.id })
  return put(snapshot, world)
}

function restored(snapshot: Snapshot, input: ParsedInputOf<'snapshot.restore'>, world: World): AnswerOf<'snapshot.restore'> | object {
  const machine = world.machine(snapshot.machineId)
  if (input.as !== undefined) return { machine: cloned(machine, snapshot, input.as, world), kept: null, renewal: null }
  const kept = input.keep ? takeNow(machine, { name: 'Before', note: `Before going back to “${snapshot.name}”.` }, world) : null
  return { machine: world.define(world.machine(machine.id), { snapshot: snapshot.id }), kept, renewal: null }
}

function cloned(machine: Machine, snapshot: Snapshot, name: string, world: World): Machine {
  const id = world.newId('machine')
  return world.put({ ...machine, id, name, definition: { ...machine.definition!, name, snapshot: snapshot.id } })
}

const task = (operation: SnapshotOperation, title: string, subject: string, world: World, act: (work: Work) => unknown): { taskId: string } => ({
  taskId: world.run(operation, title, subject, async (work) => {
    await work.pass(600)
    return act(work)
  }).id
})

export const snapshotHandlers: SnapshotHandlers = {
  'machine.clone': ({ machine: reference, name }, world) => {
    const machine = world.machine(reference)
    return task('machine.clone', `Clone ${machine.name} as ${name}`, name, world, () => ({
      machine: world.put({ ...machine, id: world.newId('machine'), name, definition: { ...machine.definition!, name } }),
      renewal: null
    }))
  },
  'snapshot.take': (input, world) => {
    const { name } = world.machine(input.machine)
    return task('snapshot.take', `Take a snapshot of ${name}`, name, world, () =>
      takeNow(world.machine(input.machine), { name: input.name ?? `Snapshot ${snapshotsOf(world).size + 1}`, note: input.note }, world)
    )
  },
  'snapshot.prepare': () => ({ ready: true, reason: null }),
  'snapshot.plan': ({ machine }, world) => {
    const on = 'pid' in world.machine(machine).state
    return { method: on ? 'copied' : 'off', reason: null, expectedStallMs: on ? 50 : 0, problem: null }
  },
  'snapshot.list': ({ machine }, world) => {
    const id = machine === undefined ? null : world.machine(machine).id
    const all = [...snapshotsOf(world).keys()].map((key) => find(key, world))
    return all.filter((one) => id === null || one.machineId === id).sort((a, b) => a.takenAtMs - b.takenAtMs)
  },
  'snapshot.show': ({ snapshot }, world) => find(snapshot, world),
  'snapshot.screen': () => ({ pngBase64: null }),
  'snapshot.rename': ({ snapshot, name }, world) => put({ ...find(snapshot, world), name }, world),
  'snapshot.note': ({ snapshot, note }, world) => put({ ...find(snapshot, world), note }, world),
  'snapshot.remove': ({ snapshot }, world) => {
    const gone = find(snapshot, world)
    const snapshots = snapshotsOf(world)
    snapshots.delete(gone.id)
    for (const child of [...snapshots.values()].filter((one) => one.parentId === gone.id)) snapshots.set(child.id, { ...child, parentId: gone.parentId })
    world.emit({ kind: 'snapshot-removed', id: gone.id })
    return { removed: gone.name, freedBytes: gone.ownBytes }
  },
  'snapshot.archive': (input, world) => {
    const { id, name, machine } = find(input.snapshot, world)
    return task('snapshot.archive', `Archive ${name}`, machine, world, () => put({ ...find(id, world), archivedAtMs: Date.now(), ready: !input.evict }, world))
  },
  'snapshot.verify': (input, world) => {
    const { id, name, machine } = find(input.snapshot, world)
    return task('snapshot.verify', `Verify ${name}`, machine, world, () => ({ snapshot: id, name, problems: [] }))
  },
  'snapshot.export': (input, world) => {
    const { name, machine, ownBytes } = find(input.snapshot, world)
    return task('snapshot.export', `Export ${name}`, machine, world, () => ({ file: input.file, memory: null, sizeBytes: ownBytes / 2 }))
  },
  'snapshot.import': (input, world) =>
    task('snapshot.import', `Import ${input.file}`, input.file, world, () => {
      const [machine] = world.machines.values()
      return takeNow(machine!, { name: 'Imported' }, world)
    }),
  'snapshot.restore': (input, world) => {
    const snapshot = find(input.snapshot, world)
    return task('snapshot.restore', `Take ${snapshot.machine} back to ${snapshot.name}`, input.as ?? snapshot.machine, world, () => restored(snapshot, input, world))
  },
  'snapshot.fork': (input, world) => {
    const snapshot = find(input.snapshot, world)
    const prefix = input.prefix ?? snapshot.machine
    return task('snapshot.fork', `Make ${input.count} from ${snapshot.name}`, snapshot.machine, world, () => ({
      machines: Array.from({ length: input.count }, (_, index) => cloned(world.machine(snapshot.machineId), snapshot, `${prefix}-${index + 1}`, world)),
      renewals: []
    }))
  }
}
