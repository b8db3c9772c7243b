import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import type { BridgeDouble, DoubleOptions } from '../../../support/bridge-double'
import { manyMachines, newMachine } from '../../../support/bridge-double/samples'
import { findRow, openWindow, row } from '../open-window'

const running = { kind: 'running' as const, pid: 4711, sinceMs: Date.now() - 60_000 }
async function openMachine(name: string, options: DoubleOptions = {}): Promise<BridgeDouble> {
  const double = await openWindow({ machines: manyMachines(12), ...options })
  fireEvent.mouseDown(await findRow(name))
  await screen.findByRole('heading', { level: 1, name })
  if (double.world.machine(name).definition) await screen.findByRole('heading', { level: 2, name: 'Tags and notes' })
  return double
}
const tab = (name: string): boolean => fireEvent.click(screen.getByRole('tab', { name: new RegExp(`^${name}`) }))
const lab = newMachine('lab1', running, {
  nics: [
    {
      mac: '52:54:00:12:34:56',
      network: { kind: 'user' },
      forwards: [{ protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 2222, guestPort: 22 }]
    }
  ]
})

describe('the page of a machine', () => {
  it('shows what it is: addresses from its agent, forwards as lines to copy, disks as layers', async () => {
    const double = await openMachine('lab1', { machines: [lab] })
    await screen.findByText('10.0.2.15')
    fireEvent.click(within(screen.getByText('ssh -p 2222 root@127.0.0.1').parentElement!).getByRole('button', { name: 'Copy' }))
    expect(double.clipboard.text).toBe('ssh -p 2222 root@127.0.0.1')
    screen.getByRole('img', { name: /takes the guest’s writes: 38.MiB, the built-in guest, base: 64.MiB/ })
  })

  it('says how one logs in to a cloud image', async () => {
    const cloud = (name: string, sshKeys: string[]) => newMachine(name, { kind: 'created' }, { cloudInit: { hostname: 'lab', user: 'ada', sshKeys } })
    await openMachine('lab1', { machines: [cloud('lab1', []), cloud('lab2', ['ssh-ed25519 AAAA'])] })
    const login = (): string | null | undefined => screen.getByText('Log in as').nextElementSibling?.textContent
    expect(login()).toBe('ada, on the console with the password strata; not over SSH')
    fireEvent.mouseDown(row('lab2'))
    await screen.findByRole('heading', { level: 1, name: 'lab2' })
    expect(login()).toBe('ada, over SSH with its key; no password')
  })

  it('reads the counters while it is looked at, and not a moment longer', async () => {
    const double = await openMachine('lab1', { machines: [lab] })
    const reads = (): number => double.calls.filter((call) => call.name === 'machine.metrics').length
    await waitFor(() => expect(reads()).toBeGreaterThan(0))
    tab('Settings')
    await screen.findByText('Firmware and devices')
    const before = reads()
    await new Promise((resolve) => setTimeout(resolve, 1300))
    expect(reads()).toBe(before)
  })

  it('says how it ended, with QEMU’s log folded', async () => {
    await openMachine('crashed-one')
    screen.getByText('QEMU was killed by SIGKILL.')
    expect(screen.queryByText(/terminating on signal 9/)).toBeNull()
    fireEvent.click(screen.getByRole('button', { name: 'Log of QEMU' }))
    screen.getByText(/terminating on signal 9/)
  })

  it('counts down while the guest is asked to power off, and offers force when it has not', async () => {
    const double = await openMachine('stubborn')
    expect(screen.getAllByRole('timer').length).toBeGreaterThan(0)
    double.world.apply(double.world.machine('stubborn').id, { kind: 'stop-overdue' })
    await screen.findByText('The guest has not powered off in time.')
    fireEvent.click(screen.getByRole('button', { name: 'Force off…' }))
    const dialog = within(await screen.findByRole('dialog'))
    expect(document.activeElement?.textContent).toBe('Cancel')
    fireEvent.click(dialog.getByRole('button', { name: 'Force off' }))
    await waitFor(() => expect(row('stubborn').textContent).toContain('Stopped'))
  })

  it('shows why a broken machine is broken, and offers nothing that cannot be', async () => {
    await openMachine('newer-format')
    expect((await screen.findAllByText(/newer version of Strata/)).length).toBeGreaterThan(0)
    tab('Settings')
    await screen.findByText('There is nothing to change')
  })

  it('has no more than three actions in its header, and the rest in a menu with reasons', async () => {
    await openMachine('student-1')
    const header = within(screen.getByRole('heading', { level: 1 }).closest('header')!)
    expect(header.getAllByRole('button').map((button) => button.textContent || button.getAttribute('aria-label'))).toEqual([
      'Stop',
      'Pause',
      'More actions'
    ])
    fireEvent.click(header.getByRole('button', { name: 'More actions' }))
    const menu = within(await screen.findByRole('menu'))
    expect(menu.getByRole('menuitem', { name: /Rename/ }).textContent).toContain('Stop it first')
    menu.getByRole('menuitem', { name: /Reset/ })
  })

  it('renames, and says what is wrong with a name', async () => {
    const double = await openMachine('student-2')
    fireEvent.keyDown(document.body, { key: 'F2', code: 'F2' })
    const dialog = within(await screen.findByRole('dialog'))
    const input = dialog.getByLabelText('Name')
    fireEvent.change(input, { target: { value: 'student-1' } })
    dialog.getByText('There is a machine called student-1 already.')
    fireEvent.change(input, { target: { value: 'renamed' } })
    fireEvent.click(dialog.getByRole('button', { name: 'Rename' }))
    await screen.findByRole('heading', { level: 1, name: 'renamed' })
    expect(double.world.machine('renamed')).toBeTruthy()
  })

  it('saves tags and notes as they are left', async () => {
    const double = await openMachine('student-2')
    const tagInput = screen.getByLabelText('Add a tag')
    fireEvent.change(tagInput, { target: { value: 'exam' } })
    fireEvent.keyDown(tagInput, { key: 'Enter' })
    await screen.findByRole('button', { name: 'Remove the tag exam' })
    const notes = screen.getByLabelText('Notes')
    fireEvent.change(notes, { target: { value: 'Ask Ada.' } })
    fireEvent.blur(notes)
    await waitFor(() =>
      expect(double.world.machine('student-2').definition).toMatchObject({ tags: ['group 2', 'exam'], notes: 'Ask Ada.' })
    )
  })
})

describe('the settings of a machine', () => {
  const openSettings = async (options?: DoubleOptions): Promise<BridgeDouble> => {
    const double = await openMachine('lab1', { machines: [lab, newMachine('lab2', { kind: 'created' })], ...options })
    tab('Settings')
    await screen.findByLabelText('Processors')
    return double
  }
  const processors = (): HTMLInputElement => screen.getByLabelText<HTMLInputElement>('Processors')

  it('keep changes while one looks elsewhere, mark the tab, and send only what changed', async () => {
    const double = await openSettings()
    fireEvent.change(processors(), { target: { value: '4' } })
    await screen.findByText('Not saved: processors')
    fireEvent.mouseDown(row('lab2'))
    await screen.findByRole('heading', { level: 1, name: 'lab2' })
    fireEvent.mouseDown(row('lab1'))
    await waitFor(() => expect(processors().value).toBe('4'))
    screen.getByRole('img', { name: 'unsaved changes' })
    fireEvent.click(screen.getByRole('button', { name: 'Save' }))
    await waitFor(() => expect(double.world.machine('lab1').definition?.cpus).toBe(4))
    expect(double.calls.find((call) => call.name === 'machine.edit')?.input).toEqual({ machine: lab.id, cpus: 4 })
    await screen.findByText('In effect from the next start on: processors.')
  })

  it('can be discarded', async () => {
    await openSettings()
    fireEvent.change(processors(), { target: { value: '4' } })
    fireEvent.click(await screen.findByRole('button', { name: 'Discard' }))
    await waitFor(() => expect(processors().value).toBe('2'))
    expect(screen.queryByText(/Not saved/)).toBeNull()
  })

  it('keep the changes when the core refuses them, and say why', async () => {
    const double = await openSettings()
    fireEvent.change(processors(), { target: { value: '4' } })
    double.failNext('machine.edit', { code: 'unsupported', message: 'This QEMU has no machine type for so many.', causes: [] })
    fireEvent.click(await screen.findByRole('button', { name: 'Save' }))
    await screen.findByText('This QEMU has no machine type for so many.')
    expect(processors().value).toBe('4')
  })
})
