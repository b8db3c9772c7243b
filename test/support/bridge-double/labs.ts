import { failure, type AnswerOf, type Lab, type OperationName, type ParsedInputOf } from '#contract'
import { takeNow, snapshotsOf } from './snapshots'
import type { World } from './world'

/** Class labs of the double's world. */
type LabOperation = Extract<OperationName, `lab.${string}`>
type LabHandlers = { [N in LabOperation]: (input: ParsedInputOf<N>, world: World) => AnswerOf<N> | Promise<AnswerOf<N>> }

const made = new WeakMap<World, Map<string, Lab>>()
function labsOf(world: World): Map<string, Lab> {
  const found = made.get(world) ?? new Map<string, Lab>()
  made.set(world, found)
  return found
}

function find(reference: string, world: World): Lab {
  const labs = labsOf(world)
  const found = labs.get(reference) ?? [...labs.values()].find((lab) => lab.name === reference)
  if (!found) throw failure('not-found', `There is no class lab “${reference}”.`, { what: 'lab', name: reference })
  return found
}

function put(lab: Lab, world: World): Lab {
  const machines = lab.machines.map((place) => ({ ...place, state: world.machines.get(place.machineId)?.state.kind ?? null }))
  labsOf(world).set(lab.id, { ...lab, machines })
  world.emit({ kind: 'lab-changed', lab: { ...lab, machines } })
  return { ...lab, machines }
}

const task = (operation: LabOperation, title: string, subject: string, world: World, act: () => unknown): { taskId: string } => ({
  taskId: world.run(operation, title, subject, async (work) => {
    await work.pass(600)
    return act()
  }).id
})

export const labHandlers: LabHandlers = {
  'lab.deploy': ({ from, count, prefix }, world) =>
    task('lab.deploy', `Make the class lab ${prefix}`, prefix, world, () => {
      const snapshot = [...snapshotsOf(world).values()].find((one) => one.id === from || one.name === from) ?? takeNow([...world.machines.values()][0]!, { name: from }, world)
      const origin = world.machine(snapshot.machineId)
      const machines = Array.from({ length: count }, (_, i) => {
        const machine = world.put({ ...origin, id: world.newId('machine'), name: `${prefix}-${i + 1}`, definition: { ...origin.definition!, name: `${prefix}-${i + 1}` } })
        return { name: machine.name, machineId: machine.id, state: machine.state.kind }
      })
      const lab = put({ schemaVersion: 1, id: world.newId('class-lab'), name: prefix, createdAtMs: Date.now(), snapshot: { id: snapshot.id, name: snapshot.name, machine: snapshot.machine }, machines }, world)
      return { lab, renewals: [] }
    }),
  'lab.list': (_input, world) => [...labsOf(world).values()],
  'lab.recreate': (input, world) => task('lab.recreate', `Make the machines of ${input.lab} anew`, find(input.lab, world).name, world, () => {
    const lab = find(input.lab, world)
    const machines = lab.machines.map((place) => ([undefined, place.name, place.machineId].includes(input.machine) ? { ...place, machineId: anew(place.machineId, world) } : place))
    return { lab: put({ ...lab, machines }, world), renewals: [] }
  }),
  'lab.start': ({ lab }, world) => task('lab.start', `Start ${lab}`, find(lab, world).name, world, () => put(find(lab, world), world)),
  'lab.stop': ({ lab }, world) => task('lab.stop', `Stop ${lab}`, find(lab, world).name, world, () => put(find(lab, world), world)),
  'lab.remove': (input, world) =>
    task('lab.remove', `Remove ${input.lab}`, find(input.lab, world).name, world, () => {
      const lab = find(input.lab, world)
      for (const { machineId } of lab.machines) {
        world.machines.delete(machineId)
        world.emit({ kind: 'machine-removed', id: machineId })
      }
      labsOf(world).delete(lab.id)
      world.emit({ kind: 'lab-removed', id: lab.id })
      return { removed: lab.name, machines: lab.machines.length }
    })
}

/** Another machine under the same name, as in life. @returns its id */
function anew(machineId: string, world: World): string {
  const machine = world.machine(machineId)
  world.machines.delete(machineId)
  world.emit({ kind: 'machine-removed', id: machineId })
  return world.put({ ...machine, id: world.newId('machine') }).id
}
