import type { ResultOf, Task } from '#contract'

type Found = ResultOf<'snapshot.verify'>

/** The task by which a snapshot was verified last, of those that the window knows; null when there is none. */
export function lastVerified(tasks: Readonly<Record<string, Task>>, snapshot: string): Task | null {
  const own = Object.values(tasks).filter((task) => task.operation === 'snapshot.verify' && foundBy(task)?.snapshot === snapshot)
  return own.sort((a, b) => (b.endedAtMs ?? 0) - (a.endedAtMs ?? 0))[0] ?? null
}

/** What a verification found; null while it is under way, or when it failed. */
export const foundBy = (task: Task): Found | null => (task.state.kind === 'done' ? (task.state.result as Found) : null)
