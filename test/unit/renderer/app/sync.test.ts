import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Event, Machine } from '#contract'
import { createBridgeDouble, type BridgeDouble, type DoubleOptions } from '../../../support/bridge-double'
import { newMachine } from '../../../support/bridge-double/samples'

const running = newMachine('lab1', { kind: 'running', pid: 1, sinceMs: 0 })
const paused: Machine = { ...running, state: { kind: 'paused', pid: 1, sinceMs: 0, reason: '' } }

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 15_000 })

/** Starts the synchroniser over a double, with stores of its own. */
async function sync(options: DoubleOptions = {}, prepare: (double: BridgeDouble) => void = () => undefined) {
  vi.resetModules()
  const double = createBridgeDouble(options)
  prepare(double)
  const { openBridge } = await import('../../../../renderer/app/bridge')
  const { useMachines } = await import('../../../../renderer/app/world/machines')
  const { startSync, useSync } = await import('../../../../renderer/app/world/sync')
  openBridge(double)
  stop = startSync()
  const names = (): string[] => Object.values(useMachines.getState().byId).map((machine) => `${machine.name} ${machine.state.kind}`)
  return { double, names, useSync, live: () => eventually(() => expect(useSync.getState().state.kind).toBe('live')) }
}
let stop: () => void = () => undefined
beforeEach(() => void (stop = () => undefined))
afterEach(() => stop())

const reads = (double: BridgeDouble): number => double.calls.filter((call) => call.name === 'machine.list').length

describe('the mirrors of the core', () => {
  it('hold what was read, then what is pushed', async () => {
    const { double, names, live } = await sync({ machines: [running] })
    await live()
    expect(names()).toEqual(['lab1 running'])
    double.world.put(paused)
    expect(names()).toEqual(['lab1 paused'])
    double.world.put(running)
    expect(names()).toEqual(['lab1 running'])
    // Once more with the first event: nothing says whether it followed what was read.
    await live()
    expect(reads(double)).toBe(2)
  })

  it('read everything again when an event was missed', async () => {
    const { double, names, live } = await sync({ machines: [running] })
    await live()
    double.world.put(running)
    await eventually(() => expect(reads(double)).toBe(2))
    await live()
    double.world.lossy = true
    double.world.put(paused)
    double.world.lossy = false
    expect(names()).toEqual(['lab1 running'])
    double.world.put(newMachine('lab2', { kind: 'created' }))
    await eventually(() => expect(names().sort()).toEqual(['lab1 paused', 'lab2 created']))
    expect(reads(double)).toBe(3)
  })

  it('read everything again when another process owns the library', async () => {
    const { double, names, live } = await sync({ machines: [running] })
    await live()
    double.world.put(running)
    double.world.owner = 'owner-2'
    double.world.machines.clear()
    double.world.put(newMachine('lab9', { kind: 'created' }))
    await eventually(() => expect(names()).toEqual(['lab9 created']))
  })

  it('ignore an event that comes twice or late', async () => {
    const { double, names, live } = await sync({ machines: [running] })
    await live()
    const events: Event[] = []
    double.onEvent((event) => events.push(event))
    double.world.put(paused)
    double.world.put(running)
    await live()
    const before = reads(double)
    double.world.deliver(events[0]!)
    double.world.deliver(events[1]!)
    expect(names()).toEqual(['lab1 running'])
    expect(reads(double)).toBe(before)
  })

  it('let an event win over an answer that is older than it', async () => {
    const double = createBridgeDouble({ machines: [running] })
    let answer: () => void = () => undefined
    const asked = new Promise<void>((resolve) => (answer = resolve))
    const slow: typeof double.call = async (name, input) => {
      const result = await double.call(name, input)
      if (name === 'machine.list') await asked
      return result
    }
    vi.resetModules()
    const { openBridge } = await import('../../../../renderer/app/bridge')
    const { useMachines } = await import('../../../../renderer/app/world/machines')
    const { startSync } = await import('../../../../renderer/app/world/sync')
    openBridge({ ...double, call: slow })
    stop = startSync()
    await eventually(() => expect(reads(double)).toBe(1))
    await Promise.resolve()
    double.world.put(paused)
    answer()
    await eventually(() => expect(useMachines.getState().loaded).toBe(true))
    expect(Object.values(useMachines.getState().byId)[0]?.state.kind).toBe('paused')
  })

  it('say that the core cannot be reached, and try again by themselves', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true })
    const { names, useSync } = await sync({ machines: [running] }, (double) =>
      double.failNext('machine.list', { code: 'library-owned', message: 'Another process owns the library.', library: '/l', causes: [] })
    )
    await eventually(() => expect(useSync.getState().state).toMatchObject({ kind: 'lost', error: { code: 'library-owned' } }))
    await vi.advanceTimersByTimeAsync(1100)
    await eventually(() => expect(useSync.getState().state.kind).toBe('live'))
    expect(names()).toEqual(['lab1 running'])
    vi.useRealTimers()
  })
})
