import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import { newMachine, threeMachines } from '../../../support/bridge-double/samples'
import { findRow, openWindow, row, rowNames } from '../open-window'

describe('the window', () => {
  it('welcomes with one button that makes, starts and shows the first machine', async () => {
    const double = await openWindow({ machines: [] })
    fireEvent.click(await screen.findByRole('button', { name: 'Create and start your first machine' }))
    await screen.findByRole('heading', { level: 1, name: /^first-lab/ })
    expect([...double.world.machines.values()].map((machine) => machine.state.kind)).toEqual(['running'])
    expect(double.world.settings.welcomed).toBe(true)
  })

  it('says that QEMU is missing, how to get it, and notices when it is there', async () => {
    const double = await openWindow({
      machines: threeMachines().slice(2),
      host: { qemu: null, qemuMissing: { message: 'QEMU is not installed.', install: 'sudo apt-get install qemu-system-x86' } }
    })
    await screen.findByText('sudo apt-get install qemu-system-x86')
    fireEvent.mouseDown(await findRow('scratch'))
    const start = await screen.findByRole('button', { name: 'Start' })
    expect(start.getAttribute('aria-description')).toBe('QEMU is not installed.')
    fireEvent.click(start)
    expect(double.calls.some((call) => call.name === 'machine.start')).toBe(false)
    double.world.host = {
      ...double.world.host,
      qemu: { path: '/usr/bin/qemu-system-x86_64', version: '7.2.22', target: 'x86_64', machineTypes: [] },
      qemuMissing: null
    }
    double.world.emit({ kind: 'host-changed', host: double.world.host })
    await waitFor(() => expect(screen.queryByText('sudo apt-get install qemu-system-x86')).toBeNull())
    fireEvent.click(screen.getByRole('button', { name: 'Start' }))
    await waitFor(() => expect(row('scratch').textContent).toContain('Running'))
  })

  it('tells of a task that failed, and leads to it', async () => {
    const double = await openWindow({ machines: threeMachines() })
    fireEvent.mouseDown(await findRow('scratch'))
    await screen.findByRole('heading', { level: 1, name: 'scratch' })
    double.failNext('machine.start', {
      code: 'missing-program',
      program: 'qemu',
      install: 'x',
      message: 'QEMU is not installed.',
      next: 'Install it.',
      causes: []
    })
    fireEvent.click(screen.getByRole('button', { name: 'Start' }))
    const message = (await screen.findByText('QEMU is not installed.')).closest('div[data-tone]') as HTMLElement
    within(message).getByText('Install it.')
    fireEvent.click(within(message).getByRole('button', { name: 'Dismiss' }))
    await waitFor(() => expect(screen.queryByText('QEMU is not installed.')).toBeNull())
  })

  it('shows tasks with their progress, and cancels them', async () => {
    const double = await openWindow({ speed: 1 })
    double.world.run('image.import', 'Import debian-13', 'debian-13', async (work) => {
      work.phase('copying', 0.42)
      await work.pass(100)
      await work.pass(60_000)
    })
    const tray = await screen.findByRole('button', { name: /Import debian-13/ })
    expect(tray.textContent).toContain('42')
    fireEvent.click(tray)
    fireEvent.click(await screen.findByRole('button', { name: 'Cancel' }))
    await screen.findByText('Cancelled')
  })

  it('finds commands and machines in the palette, and says what is not possible now', async () => {
    await openWindow({ machines: threeMachines() })
    await findRow('lab1')
    fireEvent.keyDown(document.body, { key: 'k', code: 'KeyK', ctrlKey: true })
    const input = await screen.findByPlaceholderText(/Type a command/)
    expect(screen.getAllByText('Select a machine first.').length).toBeGreaterThan(0)
    fireEvent.change(input, { target: { value: 'lab2' } })
    const first = (): HTMLElement => within(screen.getByRole('dialog')).getAllByRole('option')[0]!
    await waitFor(() => expect(first().textContent).toBe('lab2Paused'))
    fireEvent.click(first())
    await screen.findByRole('heading', { level: 1, name: 'lab2' })
  })

  it('switches its colours by a command of the menu', async () => {
    const double = await openWindow({ machines: [] })
    double.sendCommand('view.theme-dark')
    await waitFor(() => expect(document.documentElement.dataset.theme).toBe('dark'))
    double.sendCommand('view.theme-light')
    await waitFor(() => expect(document.documentElement.dataset.theme).toBe('light'))
  })

  it('says when the core cannot be reached, and shows everything again when it can', async () => {
    const machines = [newMachine('lab1', { kind: 'created' })]
    const double = await openWindow({ machines })
    await findRow('lab1')
    double.failNext('machine.list', { code: 'library-owned', library: '/l', message: 'Another process owns the library.', causes: [] })
    double.world.owner = 'owner-2'
    double.world.put(newMachine('lab2', { kind: 'created' }))
    fireEvent.click(
      within((await screen.findByText('Another process owns the library.')).closest('[role=alert]') as HTMLElement).getByRole('button', {
        name: 'Try again'
      })
    )
    await waitFor(() => expect(screen.queryByText('Another process owns the library.')).toBeNull())
    expect(rowNames()).toEqual(['lab1', 'lab2'])
  })

  it('lists deleted machines in the trash, restores one, and asks before it deletes for good', async () => {
    const double = await openWindow({ machines: [newMachine('one', { kind: 'created' }), newMachine('two', { kind: 'created' })] })
    await findRow('one')
    for (const machine of ['one', 'two']) await double.call('machine.remove', { machine })
    double.sendCommand('go.settings')
    const restore = await screen.findAllByRole('button', { name: 'Restore' })
    expect(restore).toHaveLength(2)
    fireEvent.click(restore[1]!)
    await screen.findByRole('heading', { level: 1, name: 'one' })
    double.sendCommand('go.settings')
    await screen.findByRole('button', { name: 'Restore' })
    fireEvent.click(screen.getByRole('button', { name: 'Empty the trash' }))
    fireEvent.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Delete for good' }))
    await waitFor(() => expect(double.world.trash).toEqual([]))
  })
})

describe('the keyboard', () => {
  it('goes round the parts of the window with F6, and back with Shift+F6', async () => {
    await openWindow({ machines: threeMachines() })
    fireEvent.mouseDown(await findRow('scratch'))
    await screen.findByRole('heading', { level: 1, name: 'scratch' })
    const press = (shiftKey = false): string | null => {
      fireEvent.keyDown(document.activeElement ?? document.body, { key: 'F6', code: 'F6', shiftKey })
      return document.activeElement?.closest('[data-part]')?.getAttribute('data-part') ?? null
    }
    expect([press(), press(), press(), press(), press()]).toEqual(['machines', 'places', 'page', 'status', 'machines'])
    expect([press(true), press(true)]).toEqual(['status', 'page'])
  })
})
