import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import type { BridgeDouble, DoubleOptions } from '../../../support/bridge-double'
import { builtinImage, newImage, newMachine } from '../../../support/bridge-double/samples'
import { findRow, openWindow, rowNames } from '../open-window'

async function openWizard(options: DoubleOptions = {}): Promise<BridgeDouble> {
  const double = await openWindow({ machines: [newMachine('lab1', { kind: 'created' })], ...options })
  await findRow('lab1')
  double.sendCommand('machine.create')
  await screen.findByRole('dialog', { name: 'New machine' })
  return double
}
const dialog = () => within(screen.getByRole('dialog'))
const field = (name: string | RegExp): HTMLInputElement => dialog().getByLabelText<HTMLInputElement>(name)
const type = (name: string | RegExp, value: string): boolean => fireEvent.change(field(name), { target: { value } })
const press = (name: string | RegExp): boolean => fireEvent.click(dialog().getByRole('button', { name }))
const step = (): string => screen.getByRole('form').getAttribute('aria-label') ?? ''
const created = (double: BridgeDouble): unknown => double.calls.find((call) => call.name === 'machine.create')?.input

describe('the wizard', () => {
  it('creates and starts a machine whose defaults were not touched, and shows its console', async () => {
    const double = await openWizard()
    expect(field('Name').value).toBe('lab2')
    press('Create and start')
    await screen.findByRole('heading', { level: 1, name: 'lab2' })
    await waitFor(() => expect(double.world.machine('lab2').state.kind).toBe('running'))
    expect(screen.queryByRole('dialog')).toBeNull()
    expect(screen.getByRole('tab', { selected: true }).textContent).toBe('Console')
    expect(created(double)).toMatchObject({
      name: 'lab2',
      source: 'builtin',
      cpus: 2,
      memory: '256M',
      disk: '1G',
      network: ['user'],
      forward: []
    })
  })

  it('keeps what was typed on every way through its steps', async () => {
    await openWizard()
    type('Name', 'mine')
    press('Next')
    type('Processors', '3')
    type('Memory', '1.5g')
    press('Next')
    type('Size of the disk', '4')
    press('Next')
    press('Forward SSH')
    press('Back')
    press('Back')
    expect([field('Processors').value, field('Memory').value]).toEqual(['3', '1.5'])
    press('Back')
    expect(field('Name').value).toBe('mine')
    press(/Summary/)
    expect(
      dialog()
        .getByText(/^strata machine create/)
        .closest('code')?.textContent
    ).toBe('strata machine create mine --source builtin --disk 4G --cpus 3 --memory 1536M --network user --forward tcp:2222:22')
  })

  it('gives another source its own defaults, and keeps what was changed', async () => {
    await openWizard({ images: [builtinImage(), newImage('image-1', 'debian-12', 'cloud')] })
    press(/Hardware/)
    type('Processors', '5')
    press(/Name and source/)
    fireEvent.click(dialog().getByLabelText(/debian-12/))
    press(/Hardware/)
    expect([field('Processors').value, field('Memory').value]).toEqual(['5', '2'])
    dialog().getByRole('button', { name: /User and keys/ })
  })

  it('says how one logs in to a cloud image without a key, and with one', async () => {
    await openWizard({ images: [builtinImage(), newImage('image-1', 'debian-12', 'cloud')] })
    fireEvent.click(dialog().getByLabelText(/debian-12/))
    press(/User and keys/)
    type('User', 'ada')
    const told = (): string | undefined => dialog().queryByRole('status')?.textContent
    expect(told()).toBe('No key is given: “ada” logs in on the console and the display with the password strata, and not over SSH.')
    type('Public SSH keys', 'ssh-ed25519 AAAA')
    expect(told()).toBeUndefined()
  })

  it('says at the field what is wrong, in the contract’s words, and does not go on', async () => {
    const double = await openWizard()
    type('Name', '.lab')
    await dialog().findByText(/A name starts with a letter or digit/)
    type('Name', 'LAB1')
    await dialog().findByText('There is a machine called lab1 already.')
    press('Next')
    expect(step()).toBe('Name and source')
    press('Create and start')
    expect(created(double)).toBeUndefined()
    type('Name', 'ok')
    press(/Hardware/)
    type('Memory', '32')
    await dialog().findByText('At least 64 MiB: a guest does not start with less.')
    type('Memory', '9999999')
    await dialog().findByText(/in all\./)
    press(/Network/)
    press('Forward SSH')
    press('Forward another port')
    type('Host port of forward 2', field('Host port of forward 1').value)
    await dialog().findByText(/forwarded twice/)
  })

  it('shows a failure of the core at the step where its field stands', async () => {
    const double = await openWizard()
    double.failNext('machine.create', {
      code: 'bad-input',
      field: 'disk',
      message: 'The disk cannot be smaller than its image.',
      causes: []
    })
    press('Create and start')
    await dialog().findByText('The disk cannot be smaller than its image.')
    expect(step()).toBe('Disk')
    press('Create and start')
    await findRow('lab2')
  })

  it('keeps sources that cannot be used in its list, with the reason', async () => {
    await openWizard({ host: { builtinGuest: { available: false, reason: 'It has not been built yet.' } } })
    dialog().getByText('It has not been built yet.')
    expect(dialog().getByLabelText<HTMLInputElement>(/No image/).checked).toBe(true)
  })

  it('goes by Enter, creates by Ctrl+Enter, and its draft survives being closed by mistake', async () => {
    const double = await openWizard()
    type('Name', 'kept')
    fireEvent.submit(screen.getByRole('form'))
    await waitFor(() => expect(step()).toBe('Hardware'))
    fireEvent.keyDown(screen.getByRole('dialog'), { key: 'Escape' })
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    fireEvent.click(await screen.findByRole('button', { name: 'Go on with it' }))
    await screen.findByRole('dialog')
    expect(step()).toBe('Hardware')
    fireEvent.keyDown(screen.getByRole('form'), { key: 'Enter', ctrlKey: true })
    await findRow('kept')
    expect(created(double)).toMatchObject({ name: 'kept' })
    expect(rowNames()).toEqual(['kept', 'lab1'])
  })

  it('imports an image without being left, and chooses it', async () => {
    await openWizard({ shell: { chooseFile: () => Promise.resolve('/srv/alpine.iso') } })
    press('Import an image…')
    await waitFor(() => expect(dialog().getByLabelText<HTMLInputElement>(/alpine/).checked).toBe(true))
    press(/Summary/)
    expect(
      dialog()
        .getByText(/^strata machine create/)
        .closest('code')?.textContent
    ).toContain('--source alpine --disk 20G')
  })
})
