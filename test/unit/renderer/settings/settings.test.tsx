import { configure, fireEvent, screen, waitFor, within } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import type { BridgeDouble, DoubleOptions } from '../../../support/bridge-double'
import { newMachine, threeMachines } from '../../../support/bridge-double/samples'
import { openWindow } from '../open-window'

// A busy machine takes its time to load a screen; what never comes is found all the same.
configure({ asyncUtilTimeout: 10_000 })

async function openSettings(options: DoubleOptions = {}): Promise<BridgeDouble> {
  const double = await openWindow(options)
  double.sendCommand('go.settings')
  await screen.findByRole('region', { name: 'Settings' })
  return double
}
const edits = (double: BridgeDouble): unknown[] => double.calls.filter(({ name }) => name === 'settings.edit').map(({ input }) => input)
/** So many times the API is not served over TCP, for this reason. */
function notServed(double: BridgeDouble, reason: string, times: number): void {
  const answered = double.call.bind(double) as (name: string, input: unknown) => Promise<unknown>
  let left = times
  const value = { socketPath: '/run/user/1000/strata/3f2a/owner.sock', tcp: { enabled: false, reason } }
  const call = (name: string, input: unknown): Promise<unknown> =>
    name === 'api.show' && left-- > 0 ? Promise.resolve({ ok: true, value }) : answered(name, input)
  double.call = call as BridgeDouble['call']
}
const removedMachines = async (double: BridgeDouble, names: readonly string[]): Promise<void> => {
  for (const machine of names) expect((await double.call('machine.remove', { machine })).ok).toBe(true)
}
const off = (name: string) => newMachine(name, { kind: 'created' })

describe('a number among the settings', () => {
  it('takes effect when it is finished, not with each digit', async () => {
    const double = await openSettings()
    const field = screen.getByRole('spinbutton', { name: 'Time to power off' })
    for (const typed of ['9', '90']) fireEvent.change(field, { target: { value: typed } })
    expect(edits(double)).toEqual([])
    fireEvent.blur(field)
    await waitFor(() => expect(edits(double)).toEqual([{ stopTimeoutSeconds: 90 }]))
  })
  it('is refused with its range, and changes nothing', async () => {
    const double = await openSettings()
    const field = screen.getByRole('spinbutton', { name: 'Port' })
    fireEvent.change(field, { target: { value: '80' } })
    fireEvent.keyDown(field, { key: 'Enter' })
    fireEvent.blur(field)
    expect((await screen.findByText('A whole number from 1024 to 65535.')).textContent).toBeTruthy()
    expect(edits(double)).toEqual([])
  })
  it('follows a change that was made elsewhere', async () => {
    const double = await openSettings()
    await double.call('settings.edit', { stopTimeoutSeconds: 15 })
    await waitFor(() => expect(screen.getByRole('spinbutton', { name: 'Time to power off' })).toHaveProperty('value', '15'))
  })
})

describe('the API', () => {
  it('shows its address and token file once it is switched on, on the port that is set', async () => {
    await openSettings()
    expect(screen.queryByText(/^http:/)).toBeNull()
    fireEvent.click(screen.getByRole('switch', { name: /loopback TCP/ }))
    expect(await screen.findByText('http://127.0.0.1:7411')).toBeTruthy()
    expect(screen.getByText('/home/ada/Strata/api-token')).toBeTruthy()
    const port = screen.getByRole('spinbutton', { name: 'Port' })
    fireEvent.change(port, { target: { value: '8123' } })
    fireEvent.keyDown(port, { key: 'Enter' })
    expect(await screen.findByText('http://127.0.0.1:8123')).toBeTruthy()
  })
  it('shows the address of a listener that follows the setting only later', async () => {
    const double = await openSettings()
    notServed(double, 'it is off in the settings', 2)
    fireEvent.click(screen.getByRole('switch', { name: /loopback TCP/ }))
    expect(await screen.findByText('http://127.0.0.1:7411')).toBeTruthy()
    expect(screen.queryByText(/Not served over TCP/)).toBeNull()
  })
  it('says why it is not served, when it stays so', async () => {
    const double = await openSettings()
    notServed(double, 'Port 7411 is taken.', Infinity)
    fireEvent.click(screen.getByRole('switch', { name: /loopback TCP/ }))
    expect(await screen.findByText('Not served over TCP: Port 7411 is taken.')).toBeTruthy()
  })
  it('says so when it cannot be asked where it listens', async () => {
    const double = await openWindow()
    double.failNext('api.show', { code: 'internal', message: 'The core does not answer.', causes: [] })
    double.sendCommand('go.settings')
    expect((await screen.findByText('The core does not answer.')).closest('[role=alert]')).toBeTruthy()
  })
})

describe('the trash', () => {
  it('gives a machine back, and shows it', async () => {
    const double = await openSettings({ machines: [off('old-lab')] })
    await removedMachines(double, ['old-lab'])
    fireEvent.click(await screen.findByRole('button', { name: 'Restore' }))
    await waitFor(() => expect([...double.world.machines.values()].map(({ name }) => name)).toEqual(['old-lab']))
    expect(await screen.findByRole('heading', { name: 'old-lab' })).toBeTruthy()
  })
  it('says what is lost, and deletes nothing before it is confirmed', async () => {
    const double = await openSettings({ machines: [off('a'), off('b')] })
    await removedMachines(double, ['a', 'b'])
    await screen.findAllByRole('button', { name: 'Delete for good' })
    fireEvent.click(screen.getByRole('button', { name: 'Empty the trash' }))
    const dialog = await screen.findByRole('dialog')
    expect(dialog.textContent).toMatch(/2.machines and all that is on their disks cannot be brought back.*76.*MiB/)
    expect(double.world.trash).toHaveLength(2)
    fireEvent.click(within(dialog).getByRole('button', { name: 'Delete for good' }))
    await waitFor(() => expect(double.world.trash).toHaveLength(0))
    expect(await screen.findByText(/2.machines deleted for good/)).toBeTruthy()
  })
  it('claims nothing when nothing could be deleted', async () => {
    const double = await openSettings({ machines: [off('a')] })
    await removedMachines(double, ['a'])
    fireEvent.click(await screen.findByRole('button', { name: 'Delete for good' }))
    double.failNext('machine.empty-trash', { code: 'internal', message: 'The folder cannot be written.', causes: [] })
    fireEvent.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Delete for good' }))
    expect(await screen.findByText('The folder cannot be written.')).toBeTruthy()
    expect(screen.queryByText(/given back/)).toBeNull()
    expect(screen.getByText('a')).toBeTruthy()
  })
  it('says when it could not be read, and reads again on request', async () => {
    const double = await openWindow({ machines: threeMachines() })
    double.failNext('machine.list-removed', { code: 'internal', message: 'The trash cannot be read.', causes: [] })
    double.sendCommand('go.settings')
    expect(await screen.findByText('The trash cannot be read.')).toBeTruthy()
    fireEvent.click(screen.getByRole('button', { name: 'Try again' }))
    expect(await screen.findByText(/Deleted machines wait here/)).toBeTruthy()
    expect(screen.queryByText('The trash cannot be read.')).toBeNull()
  })
})
