import { useCallback, useEffect, useState } from 'react'
import type { AppError, StoreStats, Task, TaskOperationName } from '#contract'
import { call, hasEnded, useSettings, useStoreChanges, useTasks } from '../../app'

export interface Stats {
  /** Null before the first answer. */
  value: StoreStats | null
  error: AppError | null
  /** Looks again. */
  again: () => void
}

const ended = (byId: Readonly<Record<string, Task>>): string =>
  Object.values(byId)
    .filter(hasEnded)
    .map((task) => task.id)
    .join()

/** What is in the store: read again when a task has ended or a setting was changed. */
export function useStats(): Stats {
  const [stats, setStats] = useState<Omit<Stats, 'again'>>({ value: null, error: null })
  const again = useCallback(() => {
    void call('store.stats', {}).then((answer) =>
      setStats((before) => (answer.ok ? { value: answer.value, error: null } : { value: before.value, error: answer.error }))
    )
  }, [])
  useEffect(() => {
    again()
    const stops = [useSettings.subscribe(again), useStoreChanges.subscribe(again), useTasks.subscribe((now, before) => ended(now.byId) !== ended(before.byId) && again())]
    return () => stops.forEach((stop) => stop())
  }, [again])
  return { ...stats, again }
}

/** The last task of this kind that was done, and the one that runs. */
export function useTaskOf(operation: TaskOperationName): { done: Task | null; running: Task | null } {
  const byId = useTasks((state) => state.byId)
  const own = Object.values(byId).filter((task) => task.operation === operation)
  const latest = own.filter((task) => task.state.kind === 'done').sort((a, b) => (b.endedAtMs ?? 0) - (a.endedAtMs ?? 0))[0]
  return { done: latest ?? null, running: own.find((task) => !hasEnded(task)) ?? null }
}

export const resultOf = <T>(task: Task | null): T | null => (task?.state.kind === 'done' ? (task.state.result as T) : null)
