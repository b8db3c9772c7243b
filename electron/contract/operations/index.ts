import type { z } from 'zod'
import type { Operation } from '../operation'
import type { TaskRef } from '../models/task'
import { diskOperations } from './disk'
import { guestOperations } from './guest'
import { hostOperations } from './host'
import { imageOperations } from './image'
import { labOperations } from './lab'
import { machineOperations } from './machine'
import { overlayOperations } from './overlay'
import { snapshotOperations } from './snapshot'
import { ringOperations } from './ring'
import { storeOperations } from './store'
import { shareOperations } from './share'
import { taskOperations } from './task'
import { traceOperations } from './trace'

/** Every operation of Strata by name. */
export const operations = {
  ...machineOperations,
  ...guestOperations,
  ...imageOperations,
  ...diskOperations,
  ...overlayOperations,
  ...traceOperations,
  ...snapshotOperations,
  ...labOperations,
  ...ringOperations,
  ...storeOperations,
  ...shareOperations,
  ...taskOperations,
  ...hostOperations
} as const satisfies Record<string, Operation>

export type OperationName = keyof typeof operations
type Declared<N extends OperationName> = (typeof operations)[N]
/** What a caller passes: defaults may be left out, sizes may be text. */
export type InputOf<N extends OperationName> = z.input<Declared<N>['input']>
/** What a handler gets: checked, with defaults, sizes in bytes. */
export type ParsedInputOf<N extends OperationName> = z.output<Declared<N>['input']>
/** What the operation is for; of a task, what it ends with. */
export type ResultOf<N extends OperationName> = z.output<Declared<N>['result']>
/** What the call itself answers: a task answers with its id at once. */
export type AnswerOf<N extends OperationName> = Declared<N>['task'] extends true ? TaskRef : ResultOf<N>
export type TaskOperationName = { [N in OperationName]: Declared<N>['task'] extends true ? N : never }[OperationName]

export const isOperationName = (name: string): name is OperationName => Object.hasOwn(operations, name)
