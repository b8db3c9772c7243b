import { useEffect, useState } from 'react'
import type { AnswerOf, AppError, InputOf, OperationName, Task } from '#contract'
import { call, hasEnded, useImages, useMachines, useSettings, useTasks } from '../../app'

/** Changes come in bursts: one reading answers them all. */
const SETTLE_MS = 120

export interface Live<T> {
  /** As last read; null before the first answer. */
  value: T | null
  /** Why it could not be read the last time. */
  error: AppError | null
}

/** What was read last, so that a tab that is opened again shows it at once. */
const remembered = new Map<string, unknown>()

/**
 * The answer of an operation that reads, kept true while it is shown: read again when machines, images or settings change and when a task
 * ends, and every so often where a guest writes. One reading at a time; what comes during it is answered by one more.
 * @param pollMs null: only when something changes
 */
export function useLive<N extends OperationName>(name: N, input: InputOf<N> | null, pollMs: number | null): Live<AnswerOf<N>> {
  const given = input === null ? null : JSON.stringify(input)
  const key = given === null ? null : `${name} ${given}`
  const [read, setRead] = useState<{ key: string; live: Live<AnswerOf<N>> } | null>(null)
  useEffect(() => {
    if (key === null || given === null) return
    let over = false
    let timer: ReturnType<typeof setTimeout> | null = null
    let reading = false
    let again = false
    const readNow = async (): Promise<void> => {
      timer = null
      if (reading) return void (again = true)
      reading = true
      const answer = await call(name, JSON.parse(given) as InputOf<N>)
      reading = false
      if (over) return
      if (answer.ok) remembered.set(key, answer.value)
      setRead((before) => ({
        key,
        live: answer.ok
          ? { value: answer.value, error: null }
          : { value: before?.key === key ? before.live.value : null, error: answer.error }
      }))
      if (!again) return
      again = false
      soon()
    }
    const soon = (): void => {
      timer ??= setTimeout(() => void readNow(), SETTLE_MS)
    }
    const stops = [
      useMachines.subscribe(soon),
      useImages.subscribe(soon),
      useSettings.subscribe(soon),
      useTasks.subscribe((now, before) => countEnded(now.byId) !== countEnded(before.byId) && soon())
    ]
    void readNow()
    const poll = pollMs === null ? null : setInterval(() => document.visibilityState === 'visible' && soon(), pollMs)
    return () => {
      over = true
      stops.forEach((stop) => stop())
      if (timer) clearTimeout(timer)
      if (poll) clearInterval(poll)
    }
  }, [key, given, name, pollMs])
  if (key !== null && read?.key === key) return read.live
  return { value: key === null ? null : ((remembered.get(key) as AnswerOf<N> | undefined) ?? null), error: null }
}

const countEnded = (byId: Readonly<Record<string, Task>>): number => Object.values(byId).filter(hasEnded).length
