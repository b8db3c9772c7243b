import { createContext, useContext, useEffect, useState } from 'react'
import type { AppError, Machine, Trace } from '#contract'
import { call } from '../../../app'
import { pulsesOf, type Pulse } from './rates'

const LOOK_MS = 500

export interface LiveXray {
  trace: Trace | null
  /** Why there is none, or no longer one. */
  error: AppError | null
}

/** Why a machine cannot be looked into; null when it can. */
export function whyNoXray(machine: Machine): string | null {
  if (machine.state.kind === 'unreachable') return `The monitor of ${machine.name} cannot be had.`
  return 'pid' in machine.state ? null : `Start ${machine.name} first: the X-ray shows what its QEMU does.`
}

/**
 * The X-ray of a machine while it is wanted and can be seen: a window in the background lets go of it. Each viewer has a name of its own, so
 * that several windows look at once, and it ends with the last of them.
 */
export function useXray(machineId: string, wanted: boolean): LiveXray {
  const [live, setLive] = useState<LiveXray & { machineId: string }>({ machineId, trace: null, error: null })
  useEffect(() => {
    if (!wanted) return
    const viewer = crypto.randomUUID()
    const input = { machine: machineId, viewer }
    let over = false
    let timer: ReturnType<typeof setTimeout> | null = null
    let begun = false
    const look = async (): Promise<void> => {
      timer = null
      const answer = await call(begun ? 'trace.show' : 'trace.start', input)
      if (over) return
      begun = answer.ok
      setLive(answer.ok ? { machineId, trace: answer.value, error: null } : { machineId, trace: null, error: answer.error })
      if (answer.ok) timer = setTimeout(() => void look(), LOOK_MS)
    }
    const letGo = (): void => {
      if (timer) clearTimeout(timer)
      timer = null
      begun = false
      void call('trace.stop', input) // without it, it ends a little later by itself
    }
    const follow = (): void => {
      if (document.visibilityState === 'hidden') letGo()
      else if (!timer) void look()
    }
    document.addEventListener('visibilitychange', follow)
    void look()
    return () => {
      over = true
      document.removeEventListener('visibilitychange', follow)
      letGo()
    }
  }, [machineId, wanted])
  return wanted && live.machineId === machineId ? live : { trace: null, error: null }
}

/** What goes on in each layer, for whoever draws one; null while nobody looks. */
export const Pulses = createContext<ReadonlyMap<string, Pulse> | null>(null)
export const usePulse = (path: string): Pulse | null => useContext(Pulses)?.get(path) ?? null
export { pulsesOf }
