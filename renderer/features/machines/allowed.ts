import type { Host, Machine } from '#contract'
import { hasProcess, isLive, isOff, lookOf } from './words'

export type MachineAction = 'start' | 'stop' | 'force-off' | 'pause' | 'resume' | 'reset' | 'rename' | 'remove' | 'screenshot'

/**
 * Why an action is not possible on a machine now, in one sentence; null when it is. The same conditions as in the core, which
 * has the last word: here they only keep a user from asking in vain.
 */
export function whyNot(action: MachineAction, machine: Machine, host: Host | null): string | null {
  const { state } = machine
  const is = lookOf(state).word.toLowerCase()
  if (state.kind === 'broken')
    return action === 'remove'
      ? 'Its files are damaged: Strata does not touch them.'
      : `${machine.name} is broken: its files cannot be used.`
  switch (action) {
    case 'start':
      if (isOff(state)) return host && !host.qemu ? 'QEMU is not installed.' : null
      return state.kind === 'paused' ? 'It is paused: resume it.' : `It is ${is} already.`
    case 'stop':
      if (state.kind === 'running' || state.kind === 'paused' || (state.kind === 'stopping' && state.overdue)) return null
      if (state.kind === 'unreachable') return 'Its monitor cannot be had: only Force off ends it.'
      return state.kind === 'stopping' ? 'It has been asked to power off already.' : `It is not running, it is ${is}.`
    case 'force-off':
      return hasProcess(state) ? null : `It is not running, it is ${is}.`
    case 'pause':
      return state.kind === 'running' ? null : `Only a running machine can be paused; it is ${is}.`
    case 'resume':
      return state.kind === 'paused' ? null : `Only a paused machine can be resumed; it is ${is}.`
    case 'reset':
      return isLive(state) ? null : `It is not running, it is ${is}.`
    case 'rename':
      return isOff(state) ? null : 'Stop it first: its files are in use under this name.'
    case 'remove':
      return isOff(state) ? null : 'Stop it first.'
    case 'screenshot':
      if (!isLive(state)) return `It is not running, it is ${is}.`
      return machine.definition?.display === false ? 'It has no display.' : null
  }
}

/** For several: null when at least one of them can; else why the first cannot. */
export function whyNotAny(action: MachineAction, machines: readonly Machine[], host: Host | null): string | null {
  if (machines.length === 0) return 'Select a machine first.'
  const reasons = machines.map((machine) => whyNot(action, machine, host))
  return reasons.includes(null) ? null : machines.length === 1 ? (reasons[0] ?? null) : 'It is possible on none of the selected machines.'
}
