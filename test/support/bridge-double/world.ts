import {
  Event,
  failure,
  toAppError,
  type Change,
  type Host,
  type Image,
  type Machine,
  type MachineDefinition,
  type MachineState,
  type Settings,
  type Share,
  type Task
} from '#contract'
import { nextState, type MachineEvent } from '#core/machine/state'

export interface Removed {
  trashId: string
  name: string
  removedAtMs: number
  machine: Machine
}

export interface Work {
  signal: AbortSignal
  phase: (text: string, ratio?: number | null) => void
  log: (line: string) => void
  /** Lets simulated time pass; throws when the task is cancelled. */
  pass: (ms: number) => Promise<void>
}

/**
 * The world behind the double: machines, images, tasks and settings in memory, kept coherent. Each change is pushed as an event with
 * the next sequence number, checked against the contract's own schema.
 */
export class World {
  owner = 'owner-1'
  private sequence = 0
  private serial = 0
  private readonly listeners = new Set<(event: Event) => void>()
  private readonly cancels = new Map<string, AbortController>()
  readonly machines = new Map<string, Machine>()
  readonly images = new Map<string, Image>()
  readonly shares = new Map<string, Share>()
  readonly tasks = new Map<string, Task>()
  readonly trash: Removed[] = []
  /** Events that are counted and not delivered: what a window misses. */
  lossy = false

  /** @param speed how fast simulated work passes: 1 as in life, Infinity at once */
  constructor(
    public host: Host,
    public settings: Settings,
    readonly speed: number
  ) {}

  onEvent(listener: (event: Event) => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  emit(change: Change): void {
    const event = Event.parse(structuredClone({ owner: this.owner, sequence: ++this.sequence, ...change }))
    if (!this.lossy) this.deliver(event)
  }

  /** Says an event as it is, whatever its sequence number. */
  deliver(event: Event): void {
    this.listeners.forEach((listener) => listener(event))
  }

  newId(prefix: string): string {
    return `${prefix}-${++this.serial}`
  }

  machine(reference: string): Machine {
    const found = this.machines.get(reference) ?? [...this.machines.values()].find((machine) => machine.name === reference)
    if (!found) throw failure('not-found', `There is no machine “${reference}”.`, { what: 'machine', name: reference })
    return found
  }

  put(machine: Machine): Machine {
    this.machines.set(machine.id, machine)
    this.emit({ kind: 'machine-changed', machine })
    return machine
  }

  define(machine: Machine, change: Partial<MachineDefinition>): Machine {
    if (!machine.definition) throw failure('bad-file', `“${machine.name}” cannot be read.`, { path: 'machine.json' })
    const definition = { ...machine.definition, ...change }
    return this.put({ ...machine, name: definition.name, definition })
  }

  /** Moves a machine on by the core's own transitions. */
  apply(id: string, event: MachineEvent): Machine {
    const machine = this.machine(id)
    const state = nextState(machine.state, event, Date.now())
    return this.put({
      ...machine,
      state,
      agent: state.kind === 'running' ? (machine.agent ?? false) : 'pid' in state ? machine.agent : null,
      pending: 'pid' in state ? machine.pending : []
    })
  }

  setState(id: string, state: MachineState): Machine {
    return this.put({ ...this.machine(id), state })
  }

  /** Starts a task like the core's; answers it at once. */
  run(operation: string, title: string, subject: string | null, act: (work: Work) => Promise<unknown>, cancellable = true): Task {
    const id = this.newId('task')
    const controller = new AbortController()
    this.cancels.set(id, controller)
    let task: Task = {
      id,
      operation,
      title,
      subject,
      state: { kind: 'running', cancellable },
      ratio: null,
      phase: '',
      log: [],
      startedAtMs: Date.now(),
      endedAtMs: null
    }
    const push = (change: Partial<Task>): void => {
      task = { ...task, ...change }
      this.tasks.set(id, task)
      this.emit({ kind: 'task-changed', task })
    }
    const work: Work = {
      signal: controller.signal,
      phase: (phase, ratio = null) => push({ phase, ratio }),
      log: (line) => push({ log: [...task.log, { atMs: Date.now(), line }] }),
      pass: (ms) => this.pass(ms, controller.signal)
    }
    push({})
    const end = (state: Task['state']): void => push({ state, endedAtMs: Date.now(), ratio: state.kind === 'done' ? 1 : task.ratio })
    void act(work).then(
      (result) => end({ kind: 'done', result: structuredClone(result) }),
      (thrown: unknown) => {
        const error = toAppError(thrown)
        end(error.code === 'cancelled' ? { kind: 'cancelled' } : { kind: 'failed', error })
      }
    )
    return task
  }

  cancel(taskId: string): Task {
    const task = this.tasks.get(taskId)
    if (!task) throw failure('not-found', `There is no task “${taskId}”.`, { what: 'task', name: taskId })
    this.cancels.get(taskId)?.abort()
    return task
  }

  private async pass(ms: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      setTimeout(resolve, this.speed === Infinity ? 0 : ms / this.speed)
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    if (signal.aborted) throw failure('cancelled', 'The task was cancelled.', {})
  }
}
