import { failure, type AnswerOf, type OperationName, type ParsedInputOf, type Trace, type TraceSample } from '#contract'
import type { World } from './world'
import { diskHandlers } from './disks'

/** The X-ray of the double's world: each look finds a guest that has read from every layer, and written to the active one. */
type TraceOperation = Extract<OperationName, `trace.${string}`>
type TraceHandlers = { [N in TraceOperation]: (input: ParsedInputOf<N>, world: World) => AnswerOf<N> | Promise<AnswerOf<N>> }

const KIB = 1024
const looked = new WeakMap<World, Map<string, { trace: Trace; viewers: Set<string> }>>()
const of = (world: World) => looked.get(world) ?? looked.set(world, new Map()).get(world)!

function look(reference: string, trace: Trace, world: World): Trace {
  const machine = world.machine(reference)
  const views = machine.definition!.disks.map((disk) => diskHandlers['disk.show']({ machine: reference, disk: disk.id }, world) as { files: { path: string }[] })
  const chains = views.map(({ files }) => files.map(({ path }) => path))
  const share = (index: number, length: number): number => (index === length - 1 ? 640 : index === 0 ? 48 : 96) * KIB
  const files: TraceSample['files'] = (chains[0] ?? []).map((path, index, chain) => {
    const served = share(index, chain.length)
    const readBytes = chain.slice(index).reduce((sum, _one, at) => sum + share(index + at, chain.length), 0)
    return { path, reads: readBytes / (4 * KIB), readBytes, servedBytes: served, writes: index === 0 ? 6 : 0, writtenBytes: index === 0 ? 24 * KIB : 0, clusters: index === 0 ? 2 : 0 }
  })
  const sample: TraceSample = { atMs: Date.now(), lengthMs: 250, estimated: false, files }
  const total = (path: string, key: Exclude<keyof TraceSample['files'][number], 'path'>): number =>
    (files.find((file) => file.path === path)?.[key] ?? 0) + (trace.files.find((file) => file.path === path)?.[key] ?? 0)
  return {
    ...trace,
    atMs: Date.now(),
    samples: [...trace.samples, sample].slice(-120),
    guest: trace.guest.map((guest, index) => (index === 0 ? { ...guest, reads: guest.reads + 240, readBytes: guest.readBytes + 960 * KIB, writes: guest.writes + 6, writtenBytes: guest.writtenBytes + 24 * KIB } : guest)),
    files: machine.definition!.disks.flatMap((disk, index) =>
      chains[index]!.map((path, at) => ({
        path,
        disk: disk.id,
        nodeName: disk.layers[at]?.nodeName ?? `${disk.id}-image`,
        opens: 2,
        reads: total(path, 'reads'),
        readBytes: total(path, 'readBytes'),
        servedBytes: total(path, 'servedBytes'),
        writes: total(path, 'writes'),
        writtenBytes: total(path, 'writtenBytes'),
        clusters: total(path, 'clusters'),
        fileReads: total(path, 'reads'),
        fileReadBytes: total(path, 'servedBytes'),
        fileWrites: total(path, 'writes') * 2,
        fileWrittenBytes: total(path, 'writtenBytes') + total(path, 'clusters') * 64 * KIB
      }))
    )
  }
}

export const traceHandlers: TraceHandlers = {
  'trace.start': ({ machine: reference, viewer }, world) => {
    const machine = world.machine(reference)
    if (!('pid' in machine.state)) throw failure('wrong-state', `“${machine.name}” is ${machine.state.kind} and cannot be looked into.`, { name: machine.name, state: machine.state.kind, next: 'Start it first.' })
    const guest = machine.definition!.disks.map(({ id }) => ({ disk: id, reads: 0, readBytes: 0, writes: 0, writtenBytes: 0, flushes: 0 }))
    const before = of(world).get(machine.id)
    const trace = before?.trace ?? { machineId: machine.id, machine: machine.name, sinceMs: Date.now(), atMs: Date.now(), sampled: false, guest, files: [], samples: [], events: [] }
    const now = look(reference, trace, world)
    of(world).set(machine.id, { trace: now, viewers: new Set([...(before?.viewers ?? []), viewer ?? '']) })
    return now
  },
  'trace.show': ({ machine: reference }, world) => {
    const machine = world.machine(reference)
    const found = of(world).get(machine.id)
    if (!found) throw failure('wrong-state', `“${machine.name}” is not being looked into.`, { name: machine.name, state: 'no X-ray', next: 'Start its X-ray first.' })
    found.trace = look(reference, found.trace, world)
    return found.trace
  },
  'trace.stop': ({ machine: reference, viewer }, world) => {
    const machine = world.machine(reference)
    const found = of(world).get(machine.id)
    if (viewer !== undefined) found?.viewers.delete(viewer)
    const ended = viewer === undefined || (found?.viewers.size ?? 0) === 0
    if (ended) of(world).delete(machine.id)
    return { machine: machine.name, ended }
  }
}
