import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { AnswerOf, AppError, Event, InputOf, Machine, OperationName, ResultOf, Task, TaskOperationName } from '#contract'
import { openCore, type OwnedCore } from '#core/index'
import { scratchFolder } from './scratch'

/** The guest that set-up made. */
export const GUEST = join(import.meta.dirname, '../../out/guest')

/** A machine without a system starts in a moment; its firmware finds nothing to boot and takes no notice of ACPI. */
export const EMPTY = { source: 'none', disk: '10M', memory: '64M', cpus: 1, network: [] }

/** A library and runtime folder of its own, opened; its machines are ended and its folders go when the test ends. */
export interface Lab {
  home: string
  environment: NodeJS.ProcessEnv
  core: OwnedCore
  events: Event[]
  /** Runs an operation that has to succeed. */
  call<N extends OperationName>(name: N, input: InputOf<N>): Promise<AnswerOf<N>>
  /** Runs a long operation to its end, which has to be a success. */
  done<N extends TaskOperationName>(name: N, input: InputOf<N>): Promise<ResultOf<N>>
  /** Runs a long operation to its end, whatever that is. */
  ended(name: TaskOperationName, input: object): Promise<Task>
  /** Runs an operation that has to be refused. */
  refused(name: OperationName, input: object): Promise<AppError>
  machine(name: string): Promise<Machine>
  /** Opens the library again that was closed. */
  open(): Promise<void>
  /** Closes the core and opens the library again, as another process would. */
  reopen(): Promise<void>
}

export async function openLab(given: { home?: string; environment?: NodeJS.ProcessEnv } = {}): Promise<Lab> {
  const home = given.home ?? scratchFolder()
  const environment = { ...process.env, STRATA_HOME: join(home, 'library'), XDG_RUNTIME_DIR: join(home, 'run'), ...given.environment }
  const events: Event[] = []
  const open = async (): Promise<OwnedCore> => {
    const core = await openCore({ environment, builtinGuest: GUEST })
    core.onEvent((event) => events.push(event))
    return core
  }
  const lab: Lab = {
    home,
    environment,
    events,
    core: await open(),
    async call(name, input) {
      const answer = await lab.core.call(name, input)
      if (!answer.ok) throw new Error(`${name}: ${JSON.stringify(answer.error)}`)
      return answer.value as never
    },
    async ended(name, input) {
      const { taskId } = await lab.call(name, input as InputOf<TaskOperationName>)
      return lab.call('task.wait', { taskId })
    },
    async done(name, input) {
      const task = await lab.ended(name, input)
      if (task.state.kind !== 'done') throw new Error(`${name}: ${JSON.stringify(task.state)}`)
      return task.state.result as never
    },
    async refused(name, input) {
      const answer = await lab.core.call(name, input)
      if (answer.ok) throw new Error(`${name} was not refused: ${JSON.stringify(answer.value)}`)
      return answer.error
    },
    machine: (name) => lab.call('machine.show', { machine: name }),
    async open() {
      lab.core = await open()
    },
    async reopen() {
      await lab.core.close()
      await lab.open()
    }
  }
  onTestFinished(async () => {
    for (const machine of await lab.call('machine.list', {})) {
      if ('pid' in machine.state) await lab.ended('machine.stop', { machine: machine.name, force: true })
    }
    await lab.core.close()
  })
  return lab
}

export const failureIn = (task: Task): AppError => {
  if (task.state.kind !== 'failed') throw new Error(`expected a failure, got ${JSON.stringify(task.state)}`)
  return task.state.error
}

/** Waits until a condition holds, looking again at every event. */
export async function until(lab: Lab, holds: () => Promise<boolean> | boolean, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`did not happen within ${timeoutMs} ms: ${holds.toString()}`)
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, 100)
      const unsubscribe = lab.core.onEvent(done)
      function done(): void {
        clearTimeout(timer)
        unsubscribe()
        resolve()
      }
    })
  }
}
