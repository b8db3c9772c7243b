import { assertNever, failure, type MachineExit, type MachineState } from '#contract'

/**
 * The life cycle of a machine.
 *
 *            start-requested          launched            pause / io error
 *  created ─────────────────> starting ────────> running <────────────────> paused
 *  stopped ─────────────────>    │                │   ^        resumed         │
 *  crashed ─────────────────>    │ exited         │   │ stop-withdrawn         │
 *     ^                          v                v   │                        │
 *     │                       crashed           stopping <─────────────────────┘
 *     │                                      (overdue: force is offered)
 *     └──────────── exited (stopped: expected; crashed: not) ─────┘
 *
 *  At a library's opening a machine whose QEMU lives is `adopted` (running or paused), or `unreachable` when its monitor
 *  cannot be had; one whose QEMU is gone is created, stopped or crashed. A machine whose files cannot be read is `broken`.
 */
export type MachineEvent =
  | { kind: 'start-requested' }
  /** `sinceMs`: when QEMU was started, which for an adopted one was before us. */
  | { kind: 'launched'; pid: number; sinceMs: number; paused: string | null }
  | { kind: 'unreachable'; pid: number; message: string }
  | { kind: 'paused'; reason: string }
  | { kind: 'resumed' }
  | { kind: 'stop-requested'; askedBy: 'agent' | 'acpi' | 'force'; deadlineMs: number }
  | { kind: 'stop-overdue' }
  | { kind: 'stop-withdrawn' }
  | { kind: 'exited'; exit: MachineExit; expected: boolean }

/** The state after an event. An event that means nothing in a state leaves it as it is. */
export function nextState(state: MachineState, event: MachineEvent, nowMs: number): MachineState {
  switch (event.kind) {
    case 'start-requested':
      return isOff(state) ? { kind: 'starting', sinceMs: nowMs } : state
    case 'launched':
      return event.paused === null
        ? { kind: 'running', pid: event.pid, sinceMs: event.sinceMs }
        : { kind: 'paused', pid: event.pid, sinceMs: event.sinceMs, reason: event.paused }
    case 'unreachable':
      return { kind: 'unreachable', pid: event.pid, message: event.message }
    case 'paused':
      if (state.kind === 'paused' && state.reason !== event.reason) return { ...state, reason: event.reason }
      return state.kind === 'running' ? { kind: 'paused', pid: state.pid, sinceMs: nowMs, reason: event.reason } : state
    case 'resumed':
      return state.kind === 'paused' ? { kind: 'running', pid: state.pid, sinceMs: nowMs } : state
    case 'stop-requested':
      return 'pid' in state
        ? { kind: 'stopping', pid: state.pid, sinceMs: nowMs, deadlineMs: event.deadlineMs, askedBy: event.askedBy, overdue: false }
        : state
    case 'stop-overdue':
      return state.kind === 'stopping' ? { ...state, overdue: true } : state
    case 'stop-withdrawn':
      return state.kind === 'stopping' ? { kind: 'running', pid: state.pid, sinceMs: nowMs } : state
    case 'exited':
      return { kind: event.expected ? 'stopped' : 'crashed', exit: event.exit }
    default:
      return assertNever(event)
  }
}

export const isOff = (state: MachineState): boolean => state.kind === 'created' || state.kind === 'stopped' || state.kind === 'crashed'
/** QEMU lives and its monitor answers. */
export const isLive = (state: MachineState): boolean => state.kind === 'running' || state.kind === 'paused' || state.kind === 'stopping'

/** Throws `wrong-state` unless the state is one of these. @param verb as in `cannot be paused` */
export function requireState(name: string, state: MachineState, kinds: readonly MachineState['kind'][], verb: string): void {
  if (kinds.includes(state.kind)) return
  throw failure('wrong-state', `“${name}” is ${state.kind} and cannot be ${verb}.`, {
    name,
    state: state.kind,
    ...(kinds.length > 0 ? { next: `It must be ${kinds.join(' or ')}.` } : {})
  })
}
