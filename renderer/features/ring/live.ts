import { useEffect, useState } from 'react'
import type { AppError, Ring } from '#contract'
import { call, useRing } from '../../app'
import { keyOf, paces, type Pace } from './rates'

const LOOK_MS = 200
/** What is idle is looked at less often. */
const IDLE_MS = 1000
/** How much of the past the throughput shows. */
export const SPAN_MS = 60_000
const LOOKS_KEPT = 2 + SPAN_MS / LOOK_MS

export interface LiveRing {
  /** Every look of the last minute, oldest first. */
  looks: readonly Ring[]
  /** The client programs as they were when they were seen last: what stays to be seen when they have ended. */
  last: readonly Pace[]
  error: AppError | null
}

/** The ring as it goes on, looked at as long as it is shown. */
export function useLiveRing(): LiveRing {
  const [live, setLive] = useState<LiveRing>({ looks: [], last: [], error: null })
  useEffect(() => {
    let over = false
    let timer: ReturnType<typeof setTimeout> | null = null
    const look = async (): Promise<void> => {
      timer = null
      const answer = await call('ring.show', {})
      if (over) return
      setLive((before) => (answer.ok ? withLook(before, answer.value) : { ...before, error: answer.error }))
      timer = setTimeout(() => void look(), answer.ok && answer.value.clients.length > 0 ? LOOK_MS : IDLE_MS)
    }
    void look()
    // A start, a stop, the first moment of a load: seen at once.
    const stop = useRing.subscribe(() => {
      if (!timer) return
      clearTimeout(timer)
      void look()
    })
    return () => {
      over = true
      stop()
      if (timer) clearTimeout(timer)
    }
  }, [])
  return live
}

function withLook(live: LiveRing, now: Ring): LiveRing {
  const looks = [...live.looks, now].slice(-LOOKS_KEPT)
  if (now.service.kind !== 'serving') return { looks, last: [], error: null }
  const before = live.looks.at(-1) ?? null
  const programs = paces(before, now).filter((pace) => !pace.client.own)
  if (programs.length === 0) return { looks, last: live.last, error: null }
  // Some of a load end before others: they stay as they were, until another load begins.
  const here = new Set(programs.map((pace) => keyOf(pace.client)))
  const goesOn = before?.clients.some((client) => !client.own) ?? false
  const ended = goesOn ? live.last.filter((pace) => !here.has(keyOf(pace.client))) : []
  return { looks, last: [...programs, ...ended].sort((a, b) => a.client.pid - b.client.pid), error: null }
}
