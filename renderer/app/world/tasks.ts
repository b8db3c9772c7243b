import { create } from 'zustand'
import type { Task } from '#contract'

/** As many ended tasks are kept as the core keeps. */
const ENDED_KEPT = 100

interface Tasks {
  loaded: boolean
  byId: Readonly<Record<string, Task>>
}

export const useTasks = create<Tasks>(() => ({ loaded: false, byId: {} }))

export const tasksMirror = {
  read: 'task.list',
  replace: (tasks: Task[]) => useTasks.setState({ loaded: true, byId: Object.fromEntries(tasks.map((task) => [task.id, task])) }),
  upsert: (task: Task) => useTasks.setState(({ byId }) => ({ byId: withoutOldest({ ...byId, [task.id]: task }) }))
} as const

function withoutOldest(byId: Record<string, Task>): Record<string, Task> {
  const ended = Object.values(byId).filter(hasEnded)
  if (ended.length <= ENDED_KEPT) return byId
  const oldest = ended.reduce((a, b) => ((a.endedAtMs ?? 0) <= (b.endedAtMs ?? 0) ? a : b))
  const { [oldest.id]: _oldest, ...rest } = byId
  return rest
}

export const hasEnded = (task: Task): boolean => task.state.kind !== 'running'

/** Fulfilled with the task once it has ended. */
export function taskEnded(taskId: string): Promise<Task> {
  const now = useTasks.getState().byId[taskId]
  if (now && hasEnded(now)) return Promise.resolve(now)
  return new Promise((resolve) => {
    const unsubscribe = useTasks.subscribe(({ byId }) => {
      const task = byId[taskId]
      if (!task || !hasEnded(task)) return
      unsubscribe()
      resolve(task)
    })
  })
}
