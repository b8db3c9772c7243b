import { describe, expect, it, vi } from 'vitest'
import { Event, operations, type Event as EventType } from '#contract'
import { createBridgeDouble } from '../../support/bridge-double'
import { manyMachines } from '../../support/bridge-double/samples'

const startedTask = async (call: Promise<{ ok: boolean; value?: unknown }>): Promise<string> =>
  ((await call).value as { taskId: string }).taskId

describe('the test double', () => {
  it('refuses what the contract refuses, naming the field', async () => {
    const double = createBridgeDouble()
    const result = await double.call('machine.create', { name: '', source: 'none' })
    expect(result).toMatchObject({ ok: false, error: { code: 'bad-input', field: 'name' } })
    expect(await double.call('no.such' as 'task.list', {})).toMatchObject({ ok: false, error: { code: 'unknown-operation' } })
  })

  it('makes, starts, stops and deletes a machine as the core does, with an event for each change', async () => {
    const double = createBridgeDouble()
    const events: EventType[] = []
    double.onEvent((event) => events.push(event))
    const run = async (call: Promise<{ ok: boolean; value?: unknown }>) => double.call('task.wait', { taskId: await startedTask(call) })
    await run(double.call('machine.create', { name: 'lab1' }))
    await run(double.call('machine.start', { machine: 'lab1' }))
    expect(await double.call('machine.remove', { machine: 'lab1' })).toMatchObject({ ok: false, error: { code: 'wrong-state' } })
    await run(double.call('machine.stop', { machine: 'lab1' }))
    const removed = await double.call('machine.remove', { machine: 'lab1' })
    expect(removed).toMatchObject({ ok: true, value: { name: 'lab1' } })
    expect(await double.call('machine.list', {})).toEqual({ ok: true, value: [] })
    const states = events.flatMap((event) => (event.kind === 'machine-changed' ? [event.machine.state.kind] : []))
    expect([...new Set(states)]).toEqual(['created', 'starting', 'running', 'stopping', 'stopped'])
    expect(events.map((event) => event.sequence)).toEqual(events.map((_event, index) => index + 1))
    for (const event of events) expect(Event.safeParse(event).success).toBe(true)
  })

  it('cancels a task', async () => {
    const double = createBridgeDouble({ speed: 50 })
    const taskId = await startedTask(double.call('image.import', { path: '/srv/x.iso' }))
    await double.call('task.cancel', { taskId })
    expect(await double.call('task.wait', { taskId })).toMatchObject({ ok: true, value: { state: { kind: 'cancelled' } } })
    expect(await double.call('image.list', {})).toMatchObject({ ok: true, value: [{ kind: 'guest' }] })
  })

  it('has samples that the contract takes, in every state', async () => {
    const double = createBridgeDouble({ machines: manyMachines(30) })
    const listed = await double.call('machine.list', {})
    expect(operations['machine.list'].result.safeParse(listed.ok ? listed.value : null).success).toBe(true)
    expect(new Set((listed.ok ? listed.value : []).map((machine) => machine.state.kind)).size).toBeGreaterThanOrEqual(8)
  })

  it('shares no object with the window', async () => {
    const double = createBridgeDouble({ machines: manyMachines(1) })
    const heard = vi.fn<(event: EventType) => void>()
    double.onEvent(heard)
    const [machine] = [...double.world.machines.values()]
    double.world.put(machine!)
    const event = heard.mock.calls[0]![0]
    expect(event.kind === 'machine-changed' && event.machine).not.toBe(machine)
  })
})
