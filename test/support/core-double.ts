import { PassThrough, type Duplex } from 'node:stream'
import {
  failure,
  type Failure,
  isOperationName,
  isStreamName,
  operations,
  streams,
  toAppError,
  type Change,
  type Event,
  type Machine,
  type OperationName,
  type ParsedInputOf,
  type Result,
  type Task
} from '#contract'
import type { Core } from '#core/core'
import { checkedInput } from '../../electron/core/input'
import { newDisk } from '#core/disk/stack'

type Answers = { [N in OperationName]?: (input: ParsedInputOf<N>) => unknown }

/** A core without QEMU: inputs are checked by the contract, answers are what the test says. */
export interface CoreDouble extends Core {
  readonly calls: { name: string; input: unknown }[]
  /** Called for each operation of this name from now on; what it throws is the answer's error. */
  answer<N extends OperationName>(name: N, act: (input: ParsedInputOf<N>) => unknown): void
  stream(open: (name: string, input: unknown) => Duplex): void
  tell(change: Change): void
  /** A task that runs until the test ends it. */
  startTask(operation: string, title: string): RunningTask
  readonly listeners: number
  closed: boolean
}
export interface RunningTask {
  readonly id: string
  progress(ratio: number, phase: string): void
  end(state: Task['state']): void
  onCancel(act: () => void): void
}

export function coreDouble(owner = 'double'): CoreDouble {
  const listeners = new Set<(event: Event) => void>()
  const tasks = new Map<string, { task: Task; ended: Promise<void>; cancel(): void }>()
  const taskOf = (id: string) => tasks.get(id) ?? refuse(failure('not-found', `There is no task “${id}”.`, { what: 'task', name: id }))
  let sequence = 0
  let open: (name: string, input: unknown) => Duplex = () => new PassThrough()
  const answers: Answers = {
    'machine.list': () => [machine('lab1')],
    'machine.show': (input) => machine(input.machine),
    'task.list': () => [...tasks.values()].map(({ task }) => task),
    'task.show': (input) => taskOf(input.taskId).task,
    'task.wait': async (input) => {
      await taskOf(input.taskId).ended
      return taskOf(input.taskId).task
    },
    'task.cancel': (input) => {
      taskOf(input.taskId).cancel()
      return taskOf(input.taskId).task
    },
    'settings.show': () => operations['settings.show'].result.parse({})
  }
  const double: CoreDouble = {
    owner,
    calls: [],
    closed: false,
    get listeners() {
      return listeners.size
    },
    call: (name, input) =>
      asResult(async () => {
        if (!isOperationName(name)) return refuse(failure('unknown-operation', `There is no operation “${name}”.`, { operation: name }))
        const checked = checkedInput(operations[name].input, input)
        double.calls.push({ name, input: checked })
        const act = answers[name] as ((input: unknown) => unknown) | undefined
        return act ? act(checked) : refuse(failure('unsupported', 'The test gave no answer.', {}))
      }),
    openStream: (name, input) =>
      asResult(() => {
        if (!isStreamName(name)) return refuse(failure('unknown-operation', `There is no stream “${name}”.`, { operation: name }))
        return open(name, checkedInput(streams[name], input))
      }),
    onEvent(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async close() {
      double.closed = true
    },
    answer: (name, act) => void Object.assign(answers, { [name]: act }),
    stream: (act) => void (open = act),
    tell(change) {
      sequence += 1
      for (const listener of listeners) listener({ ...change, owner, sequence })
    },
    startTask(operation, title) {
      const id = `t${tasks.size + 1}`
      const task: Task = { id, operation, title, subject: null, state: { kind: 'running', cancellable: true }, ratio: 0, phase: '', log: [], startedAtMs: Date.now(), endedAtMs: null }
      let resolveEnded = (): void => {}
      const entry = { task, ended: new Promise<void>((resolve) => (resolveEnded = resolve)), cancel: (): void => running.end({ kind: 'cancelled' }) }
      const push = (): void => double.tell({ kind: 'task-changed', task })
      const running: RunningTask = {
        id,
        progress(ratio, phase) {
          Object.assign(task, { ratio, phase })
          task.log.push({ atMs: Date.now(), line: phase })
          push()
        },
        end(state) {
          Object.assign(task, { state, endedAtMs: Date.now() })
          push()
          resolveEnded()
        },
        onCancel: (act) => void (entry.cancel = act)
      }
      tasks.set(id, entry)
      push()
      return running
    }
  }
  return double
}

/** Throws; typed so that it can stand for a value. */
const refuse = (error: Failure): never => {
  throw error
}

async function asResult<T>(act: () => Promise<T> | T): Promise<Result<T>> {
  try {
    return { ok: true, value: await act() }
  } catch (thrown) {
    return { ok: false, error: toAppError(thrown) }
  }
}

/** A machine as the core shows one. */
export function machine(name: string, state: Machine['state'] = { kind: 'running', pid: 4711, sinceMs: Date.now() - 90_000 }): Machine {
  return operations['machine.show'].result.parse({
    definition: {
      schemaVersion: 1,
      id: '6f1e1c2a-4a50-4b5e-9c7e-0d6a3b1f2c3d',
      name,
      createdAtMs: Date.now() - 86_400_000,
      notes: '',
      tags: ['course', 'os'],
      cpus: 2,
      memoryBytes: 256 * 2 ** 20,
      accelerator: 'auto',
      firmware: 'bios',
      tpm: false,
      display: true,
      sharedMemory: false,
      kernel: null,
      disks: [newDisk('disk0', 2 ** 30, null, 0)],
      cdroms: [],
      nics: [{ mac: '52:54:00:00:00:01', network: 'user', forwards: ['tcp:2222:22'] }],
      cloudInit: null
    },
    id: '6f1e1c2a-4a50-4b5e-9c7e-0d6a3b1f2c3d',
    name,
    state,
    pending: [],
    accelerator: 'tcg',
    agent: state.kind === 'running' ? true : null,
    diskBytes: 1536 * 2 ** 10
  })
}
