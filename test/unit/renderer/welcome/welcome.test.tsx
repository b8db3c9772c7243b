import { cleanup, configure, fireEvent, render, screen, waitFor } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { goTo, openBridge, useMachines, useTasks } from '../../../../renderer/app'
import { startSync } from '../../../../renderer/app/world/sync'
import { Welcome } from '../../../../renderer/features/welcome'
import { createBridgeDouble, type BridgeDouble, type DoubleOptions } from '../../../support/bridge-double'
import { newMachine } from '../../../support/bridge-double/samples'

configure({ asyncUtilTimeout: 10_000 })

const ready = vi.fn<(machineId: string) => void>()
const createOther = vi.fn()
const tour = vi.fn()
let stop: (() => void) | null = null

/** The page alone, over the app's own stores and the double. */
async function welcome(options: DoubleOptions = {}): Promise<BridgeDouble> {
  const double = createBridgeDouble(options)
  openBridge(double)
  useMachines.setState({ loaded: false, byId: {} })
  useTasks.setState({ loaded: false, byId: {} })
  goTo({ kind: 'home' })
  stop = startSync()
  await waitFor(() => expect(useMachines.getState().loaded).toBe(true))
  render(<Welcome onReady={ready} onCreateOther={createOther} onTour={tour} />)
  return double
}
beforeEach(() => void [ready, createOther, tour].forEach((spy) => spy.mockReset()))
afterEach(() => {
  stop?.()
  cleanup()
})

const FIRST = 'Create and start your first machine'
const findFirst = (): Promise<HTMLElement> => screen.findByRole('button', { name: FIRST })
const machines = ({ world }: BridgeDouble): string[][] => [...world.machines.values()].map(({ name, state }) => [name, state.kind])
const missing = { qemu: null, qemuMissing: { message: 'QEMU is not installed.', install: 'sudo apt-get install qemu-system-x86' } }

describe('the welcome', () => {
  it('makes and starts first-lab, hands it on, and has been seen', async () => {
    const double = await welcome()
    fireEvent.click(await findFirst())
    await waitFor(() => expect(ready).toHaveBeenCalledTimes(1))
    expect(machines(double)).toEqual([['first-lab', 'running']])
    expect(double.world.machines.has(ready.mock.calls[0]?.[0] ?? '')).toBe(true)
    expect(double.world.settings.welcomed).toBe(true)
  })
  it('shows the steps as they happen', async () => {
    await welcome({ speed: 4 })
    fireEvent.click(await findFirst())
    expect(await screen.findByText('creating the disk')).toBeTruthy()
    expect(await screen.findByText('starting QEMU')).toBeTruthy()
    await waitFor(() => expect(ready).toHaveBeenCalled())
  })
  it('tells what went wrong, and starts the machine it has made when it is tried again', async () => {
    const double = await welcome()
    double.failNext('machine.start', { code: 'internal', message: 'QEMU could not be started.', next: 'Try again.', causes: ['EAGAIN'] })
    fireEvent.click(await findFirst())
    expect(await screen.findByText('QEMU could not be started.')).toBeTruthy()
    expect(double.world.settings.welcomed).toBe(false)
    expect(ready).not.toHaveBeenCalled()
    fireEvent.click(await findFirst())
    await waitFor(() => expect(ready).toHaveBeenCalledTimes(1))
    expect(machines(double)).toEqual([['first-lab', 'running']])
  })
  it('does not pull back whoever went somewhere else meanwhile', async () => {
    const double = await welcome({ speed: 20 })
    fireEvent.click(await findFirst())
    goTo({ kind: 'settings' })
    await waitFor(() => expect(double.world.settings.welcomed).toBe(true))
    // What would pull back comes right after this answer, in the same turn of the event loop.
    await new Promise((resolve) => setTimeout(resolve))
    expect(ready).not.toHaveBeenCalled()
  })
  it('says what is missing with the command that installs it, and starts nothing', async () => {
    const double = await welcome({ host: missing })
    const first = await findFirst()
    await waitFor(() => expect(first.getAttribute('aria-description')).toBe('QEMU is not installed.'))
    expect(screen.getByText('sudo apt-get install qemu-system-x86')).toBeTruthy()
    fireEvent.click(first)
    expect(double.calls.some(({ name }) => name === 'machine.create')).toBe(false)
  })
  it('can be used as soon as QEMU is there', async () => {
    const double = await welcome({ host: missing })
    const first = await findFirst()
    await waitFor(() => expect(first.getAttribute('aria-disabled')).toBe('true'))
    double.world.host = { ...double.world.host, qemuMissing: null }
    double.world.emit({ kind: 'host-changed', host: double.world.host })
    await waitFor(() => expect(first.getAttribute('aria-disabled')).not.toBe('true'))
  })
  it('leads to other machines and to the tour', async () => {
    await welcome()
    fireEvent.click(await screen.findByRole('button', { name: 'Create another kind of machine…' }))
    fireEvent.click(screen.getByRole('button', { name: 'Take the guided tour' }))
    expect([createOther.mock.calls.length, tour.mock.calls.length]).toEqual([1, 1])
  })
  it('is not for a library with machines', async () => {
    await welcome({ machines: [newMachine('lab1', { kind: 'created' })] })
    expect(await screen.findByText('No machine is chosen')).toBeTruthy()
    expect(screen.queryByRole('button', { name: FIRST })).toBeNull()
  })
})
