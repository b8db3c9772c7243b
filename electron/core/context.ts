import type { AnswerOf, OperationName, ParsedInputOf, ResultOf, TaskOperationName, TaskRef } from '#contract'
import type { Images } from './disk/images'
import type { HostWatch } from './host/host'
import type { Labs } from './lab/labs'
import type { Library } from './library/library'
import type { Machines } from './machine/machines'
import type { Ring } from './ring/ring'
import type { SettingsStore } from './settings'
import type { Store } from './store/store'
import type { Shares } from './share/shares'
import type { Snapshots } from './snapshot/snapshots'
import type { Standbys } from './snapshot/standby'
import type { Traces } from './trace/traces'
import type { Tasks } from './task/tasks'
import type { Work } from './task/work'

/** All that an operation works on. */
export interface Context {
  readonly library: Library
  readonly machines: Machines
  readonly images: Images
  readonly store: Store
  readonly shares: Shares
  readonly snapshots: Snapshots
  readonly standbys: Standbys
  readonly labs: Labs
  readonly tasks: Tasks
  readonly traces: Traces
  readonly host: HostWatch
  readonly ring: Ring
  readonly settings: SettingsStore
  /** Of this open core: where its API listens, set by whoever serves it. */
  readonly api: ApiStatus
}

export interface ApiStatus {
  tcp: { enabled: true; url: string } | { enabled: false; reason: string }
}

/** Carries an operation out. The input is checked. */
export type Handler<N extends OperationName> = (input: ParsedInputOf<N>, context: Context, signal: AbortSignal) => Promise<AnswerOf<N>>
export type Handlers<N extends OperationName> = { [K in N]: Handler<K> }

/** The handler of a long-running operation: the call answers with the task, the work's value becomes its result. */
export function asTask<N extends TaskOperationName>(
  operation: N,
  title: (input: ParsedInputOf<N>, context: Context) => string,
  subject: (input: ParsedInputOf<N>, context: Context) => string,
  act: (input: ParsedInputOf<N>, context: Context, work: Work) => Promise<ResultOf<N>>
): (input: ParsedInputOf<N>, context: Context) => Promise<TaskRef> {
  return async (input, context) => {
    const task = context.tasks.run(operation, title(input, context), subject(input, context), (work) => act(input, context, work))
    return { taskId: task.id }
  }
}
