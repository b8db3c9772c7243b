import { describe, expect, it } from 'vitest'
import { Failure, type MachineExit, type MachineState } from '#contract'
import { isOff, nextState, requireState, type MachineEvent } from '#core/machine/state'

const exit: MachineExit = { atMs: 5, reason: 'The guest powered off.', exitCode: 0, signal: null, log: [] }
const running: MachineState = { kind: 'running', pid: 7, sinceMs: 1 }
const after = (state: MachineState, ...events: MachineEvent[]): MachineState => events.reduce((now, event) => nextState(now, event, 10), state)

describe('the life cycle of a machine', () => {
  it('goes from created over running to stopped', () => {
    const states = after({ kind: 'created' }, { kind: 'start-requested' }, { kind: 'launched', pid: 7, sinceMs: 3, paused: null })
    expect(states).toEqual({ kind: 'running', pid: 7, sinceMs: 3 })
    expect(after(states, { kind: 'exited', exit, expected: true })).toEqual({ kind: 'stopped', exit })
  })
  it('is crashed when the end was not expected', () => expect(after(running, { kind: 'exited', exit, expected: false }).kind).toBe('crashed'))
  it('offers force once a stop is overdue, and runs on when the stop is withdrawn', () => {
    const stopping = after(running, { kind: 'stop-requested', askedBy: 'acpi', deadlineMs: 20 })
    expect(stopping).toMatchObject({ kind: 'stopping', overdue: false, deadlineMs: 20 })
    expect(after(stopping, { kind: 'stop-overdue' })).toMatchObject({ overdue: true })
    expect(after(stopping, { kind: 'stop-overdue' }, { kind: 'stop-withdrawn' }).kind).toBe('running')
  })
  it('does not start what is on', () => expect(after(running, { kind: 'start-requested' })).toBe(running))
  it('is not paused or resumed when off', () => {
    const off: MachineState = { kind: 'stopped', exit }
    expect(after(off, { kind: 'paused', reason: 'paused' }, { kind: 'resumed' }, { kind: 'stop-overdue' })).toBe(off)
  })
  it('leaves a stopping machine stopping when it is told to resume', () => {
    const stopping = after(running, { kind: 'stop-requested', askedBy: 'agent', deadlineMs: 20 })
    expect(after(stopping, { kind: 'resumed' })).toBe(stopping)
  })
  it('knows which states are off', () => {
    expect(isOff({ kind: 'created' })).toBe(true)
    expect(isOff(running)).toBe(false)
    expect(isOff({ kind: 'unreachable', pid: 7, message: '' })).toBe(false)
  })
  it('refuses with the name and the state', () => {
    expect(() => requireState('lab1', running, ['paused'], 'resumed')).toThrow(Failure)
    expect(() => requireState('lab1', running, ['paused'], 'resumed')).toThrow('“lab1” is running and cannot be resumed.')
  })
})
