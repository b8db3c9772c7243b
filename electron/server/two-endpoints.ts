import { z } from 'zod'
import { failure, FilePath, type AppError, type InputOf, type Machine, type OperationName, type ResultOf, type Snapshot, type Task, type TaskOperationName } from '#contract'
import type { Core } from '#core/core'
import { checkedInput } from '#core/input'
import { Refusal } from './answer'
import type { ControlPorts } from './control-ports'

/**
 * `POST /snapshot` and `POST /create`: a machine into two files, and a machine from two files or from a kernel. Each is a few operations of the
 * contract, and answers when they have ended.
 */
const cpu = FilePath.meta({ description: 'the machine and the state of its devices' })
const memory = FilePath.meta({ description: 'guest memory, flat' })

export const SnapshotInput = z
  .object({
    cpu_snapshot_path: cpu,
    memory_snapshot_path: memory,
    rpc_port: z.number().int().min(1).max(65535).meta({ description: 'control port of the machine' }),
    resume: z.boolean().meta({ description: 'true: it goes on; false: it is off afterwards' })
  })
  .strict()
export const SnapshotAnswer = z.object({ message: z.string() })

export const CreateInput = z
  .object({
    cpu_snapshot_path: cpu.optional(),
    memory_snapshot_path: memory.optional(),
    kernel_path: FilePath.optional().meta({ description: 'the kernel to boot; with `resume`, the one that it was booted with' }),
    resume: z.boolean().meta({ description: 'true: go on from the two files; false: boot the kernel' })
  })
  .strict()
export const CreateAnswer = z.object({ pid: z.number(), port: z.number() })

export interface Two {
  core: Core
  control: ControlPorts
}

export const TWO_ENDPOINTS = { '/snapshot': snapshot, '/create': create } as const

async function snapshot({ core, control }: Two, given: object): Promise<z.output<typeof SnapshotAnswer>> {
  const input = checkedInput(SnapshotInput, given)
  const machine = control.machineAt(input.rpc_port)
  if (machine === null) throw failure('not-found', `No machine has the control port ${input.rpc_port}.`, { what: 'control port', name: String(input.rpc_port), next: 'Take the port that POST /create answered.' })
  const taken = await done(core, 'snapshot.take', { machine, halt: !input.resume })
  try {
    await done(core, 'snapshot.export', { snapshot: taken.id, file: input.cpu_snapshot_path, memory: input.memory_snapshot_path, images: false, replace: true })
  } catch (error) {
    // Of a machine that is off now it is all there is.
    if (input.resume) await call(core, 'snapshot.remove', { snapshot: taken.id })
    throw error
  }
  await call(core, 'snapshot.remove', { snapshot: taken.id })
  return { message: `The snapshot of ${taken.machine} was saved.` }
}

async function create({ core, control }: Two, given: object): Promise<z.output<typeof CreateAnswer>> {
  const input = checkedInput(CreateInput, given)
  const machine = input.resume ? await resumed(core, input) : await booted(core, input)
  const { state } = machine
  if (!('pid' in state)) throw failure('wrong-state', `“${machine.name}” is ${state.kind}.`, { name: machine.name, state: state.kind })
  return { pid: state.pid, port: await control.portOf(machine.id) }
}

async function resumed(core: Core, input: z.output<typeof CreateInput>): Promise<Machine> {
  const { cpu_snapshot_path: file, memory_snapshot_path: ram, kernel_path: kernel } = input
  if (file === undefined || ram === undefined) throw failure('bad-input', 'The two files to go on from have to be named.', { field: file === undefined ? 'cpu_snapshot_path' : 'memory_snapshot_path' })
  const imported = await done(core, 'snapshot.import', { file, memory: ram, anew: true, ...(kernel === undefined ? {} : { kernel }) })
  try {
    return await named(core, imported.machine, async (name) => (await done(core, 'snapshot.restore', { snapshot: imported.id, as: name })).machine)
  } finally {
    await call(core, 'snapshot.remove', { snapshot: imported.id } satisfies { snapshot: Snapshot['id'] })
  }
}

async function booted(core: Core, { kernel_path: kernel }: z.output<typeof CreateInput>): Promise<Machine> {
  if (kernel === undefined) throw failure('bad-input', 'The kernel to boot has to be named.', { field: 'kernel_path' })
  const { id } = await named(core, 'vm', (name) => done(core, 'machine.create', { name, source: 'none', disk: 0, memory: '256M', kernel }))
  return done(core, 'machine.start', { machine: id })
}

/** `vm-1`, `vm-2`, ...: the first name that is free, also when others choose theirs at the same time. */
async function named(core: Core, prefix: string, make: (name: string) => Promise<Machine>): Promise<Machine> {
  const names = new Set(((await call(core, 'machine.list', {})) as Machine[]).map(({ name }) => name.toLocaleLowerCase()))
  for (let n = 1; ; n++) {
    const name = `${prefix}-${n}`
    if (names.has(name.toLocaleLowerCase())) continue
    try {
      return await make(name)
    } catch (error) {
      if (!(error instanceof Refusal) || error.error.code !== 'already-exists') throw error
    }
  }
}

async function call<N extends OperationName>(core: Core, name: N, input: InputOf<N>): Promise<unknown> {
  const answer = await core.call(name, input)
  if (!answer.ok) throw new Refusal(answer.error)
  return answer.value
}

/** Runs a long operation to its end. @throws Refusal with the task's error */
async function done<N extends TaskOperationName>(core: Core, name: N, input: InputOf<N>): Promise<ResultOf<N>> {
  const begun = (await call(core, name, input)) as { taskId: string }
  const { state, title } = (await call(core, 'task.wait', begun)) as Task
  if (state.kind === 'done') return state.result as ResultOf<N>
  if (state.kind === 'failed') throw new Refusal(state.error)
  throw new Refusal({ code: 'cancelled', message: `“${title}” was cancelled.`, causes: [] } satisfies AppError)
}
