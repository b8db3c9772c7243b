import { z } from 'zod'
import { AppError } from '../error'

/**
 * Long-running work.
 *
 *   running ──> done
 *      │ ├────> failed       (what had been done is undone)
 *      │ └────> cancelled    (asked for before the point of no return; what had been done is undone)
 *      └──────> interrupted  (the process that ran it died; found at the next start and cleaned up)
 */
export const TaskState = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('running'), cancellable: z.boolean() }),
  z.object({ kind: z.literal('done'), result: z.unknown() }),
  z.object({ kind: z.literal('failed'), error: AppError }),
  z.object({ kind: z.literal('cancelled') }),
  z.object({ kind: z.literal('interrupted') })
])
export type TaskState = z.output<typeof TaskState>

export const Task = z.object({
  id: z.string(),
  /** The operation that started it. */
  operation: z.string(),
  /** For people: `Start lab1`. */
  title: z.string(),
  /** Name of what it works on, for example the machine's. */
  subject: z.string().nullable(),
  state: TaskState,
  /** 0 to 1, may go down; null while it cannot be told. */
  ratio: z.number().min(0).max(1).nullable(),
  /** What it is doing now: `waiting for the guest agent`. */
  phase: z.string(),
  log: z.array(z.object({ atMs: z.number(), line: z.string() })),
  startedAtMs: z.number(),
  endedAtMs: z.number().nullable()
})
export type Task = z.output<typeof Task>

export const TaskRef = z.object({ taskId: z.string() })
export type TaskRef = z.output<typeof TaskRef>
