import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import { newMachine } from '../../../support/bridge-double/samples'
import { openWindow } from '../open-window'

const MACHINES = () => [
  newMachine('lab1', { kind: 'running', pid: 1, sinceMs: 0 }),
  newMachine('lab2', { kind: 'running', pid: 2, sinceMs: 0 }, { sharedMemory: true }),
  newMachine('lab3', { kind: 'running', pid: 3, sinceMs: 0 }),
  newMachine('lab4', { kind: 'created' })
]

describe('the shares', () => {
  it('begin with what to do, and say why nothing can be shared with nobody', async () => {
    const double = await openWindow({ machines: [newMachine('lab1', { kind: 'created' })] })
    double.sendCommand('go.shares')
    const page = within(await screen.findByRole('region', { name: 'Shares' }))
    await page.findByText('No disk is shared')
    expect(page.getAllByRole('button', { name: 'Share a disk…' })[0]!.getAttribute('aria-description')).toContain('no other machine')
  })

  it('are made in a dialog that says when each machine gets the disk, and listed with who has it', async () => {
    const double = await openWindow({ machines: MACHINES() })
    double.sendCommand('go.shares')
    const page = within(await screen.findByRole('region', { name: 'Shares' }))
    fireEvent.click((await page.findAllByRole('button', { name: 'Share a disk…' }))[0]!)
    const dialog = within(await screen.findByRole('dialog'))
    expect(dialog.getByRole('button', { name: 'Share' }).getAttribute('aria-disabled')).toBe('true')
    expect(dialog.getByText('At once: it runs, and the disk is plugged in.')).toBeTruthy()
    expect(dialog.getByText(/At once, over NBD/)).toBeTruthy()
    fireEvent.click(dialog.getByRole('checkbox', { name: /lab2/ }))
    fireEvent.click(dialog.getByRole('checkbox', { name: /lab3/ }))
    fireEvent.click(dialog.getByRole('button', { name: 'Share' }))
    const card = within(await page.findByRole('article', { name: 'disk0 of lab1' }))
    expect(card.getByText('The QEMU of lab1 serves it, beside its guest.')).toBeTruthy()
    await waitFor(() => expect(double.calls.filter(({ name }) => ['share.create', 'share.attach'].includes(name))).toMatchObject([
      { name: 'share.create', input: { disk: 'lab1:disk0', mode: 'ro', nextStart: false, to: [expect.any(String), expect.any(String)] } }
    ]))
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())

    fireEvent.click(card.getByRole('button', { name: 'Publish a version' }))
    await card.findByText(/version 1 published/)
    await card.findByText('version 1, over vhost-user-blk')
    await card.findByText('version 1, over NBD, as other processes cannot map its memory')
    await card.findByRole('button', { name: 'Publish the next version' })
    fireEvent.click(card.getByRole('button', { name: 'Readers follow again' }))
    await card.findByRole('button', { name: 'Refresh readers' })

    fireEvent.click(card.getByRole('button', { name: 'Limit what lab3 asks' }))
    const limit = within(await screen.findByRole('dialog'))
    fireEvent.change(limit.getByLabelText('Bytes a second'), { target: { value: 'much' } })
    expect(limit.getByRole('button', { name: 'Set' }).getAttribute('aria-disabled')).toBe('true')
    fireEvent.change(limit.getByLabelText('Bytes a second'), { target: { value: '10M' } })
    fireEvent.change(limit.getByLabelText('Requests a second'), { target: { value: '500' } })
    fireEvent.click(limit.getByRole('button', { name: 'Set' }))
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    await card.findByText(/at most 500 requests a second and 10(\.0)?.MiB\/s/)
    fireEvent.click(card.getByRole('button', { name: 'How disk0 of lab1 is shared…' }))
    const settings = within(await screen.findByRole('dialog'))
    // Nobody but the owner writes: there is nothing to be written through.
    expect(settings.getByRole('checkbox', { name: /Put each write/ }).getAttribute('aria-disabled')).toBe('true')
    expect(settings.getByText('Only lab1 writes, past the share.')).toBeTruthy()
    fireEvent.keyDown(settings.getByRole('combobox', { name: 'If nobody can serve it' }), { key: 'Enter' })
    fireEvent.click(await screen.findByRole('option', { name: /wait for 10.s, then get I\/O errors/ }))
    fireEvent.click(settings.getByRole('button', { name: 'Set' }))
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    await card.findByText(/guests wait for 10.s at most/)

    // What a program uses is told, and not taken unless that is said.
    double.failNext('share.detach', { code: 'in-use', message: '/mnt is in use in “lab3”, and cannot be unmounted.', causes: ['sleep (process 7)'], what: '/mnt' })
    fireEvent.click(card.getByRole('button', { name: 'Take it from lab3' }))
    const taking = within(await screen.findByRole('dialog'))
    fireEvent.click(taking.getByRole('button', { name: 'Take it' }))
    await taking.findByText('/mnt is in use in “lab3”, and cannot be unmounted.')
    expect(taking.getByText(/The program gets I\/O errors; what is on the disk stays/)).toBeTruthy()
    fireEvent.click(taking.getByRole('checkbox', { name: /Also if a program uses it/ }))
    fireEvent.click(taking.getByRole('button', { name: 'Take it' }))
    await waitFor(() => expect(card.queryByRole('button', { name: 'Take it from lab3' })).toBeNull())
    expect(double.calls.filter(({ name }) => name === 'share.detach').map(({ input }) => (input as { force: boolean }).force)).toEqual([false, true])
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    fireEvent.click(card.getByRole('button', { name: 'End the share…' }))
    const question = within(await screen.findByRole('dialog'))
    expect(question.getByText(/1 guest that has it unmounts it, and lets go of it/)).toBeTruthy()
    fireEvent.click(question.getByRole('button', { name: 'End the share' }))
    await page.findByText('No disk is shared')
  })

  it('can be begun from a disk, with machines that cannot get it listed with the reason', async () => {
    const double = await openWindow({ machines: MACHINES() })
    double.sendCommand('share.create')
    const dialog = within(await screen.findByRole('dialog'))
    fireEvent.click(dialog.getByRole('checkbox', { name: /lab4/ }))
    fireEvent.click(dialog.getByRole('button', { name: 'Share' }))
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    double.sendCommand('share.create')
    const again = within(await screen.findByRole('dialog'))
    expect(again.getByRole('checkbox', { name: /lab4/ }).getAttribute('aria-disabled')).toBe('true')
    expect(again.getByText('It has the disk already.')).toBeTruthy()
    fireEvent.click(again.getByRole('button', { name: 'Cancel' }))
    double.sendCommand('go.shares')
    const card = within(await screen.findByRole('article', { name: 'disk0 of lab1' }))
    // Of a machine that is off nothing can be in use: it is not asked about.
    fireEvent.click(card.getByRole('button', { name: 'Take it from lab4' }))
    await card.findByText('No machine has it yet.')
    expect(card.getByText('Share it with a machine, and it is served.')).toBeTruthy()
  })

  it('on which all write are made on an empty disk; what would be damaged on another is told at once, in place of the drawing', async () => {
    const [lab1, ...others] = MACHINES()
    const disks = ['disk0', 'disk1'].map((id) => ({ ...lab1!.definition!.disks[0]!, id }))
    const double = await openWindow({ machines: [{ ...lab1!, definition: { ...lab1!.definition!, disks } }, ...others] })
    double.sendCommand('share.create')
    const dialog = within(await screen.findByRole('dialog'))
    const share = (): HTMLElement => dialog.getByRole('button', { name: 'Share' })
    fireEvent.click(dialog.getByRole('checkbox', { name: /lab2/ }))
    expect(dialog.getByRole('img', { name: /lab1 writes, the others read/ })).toBeTruthy()
    fireEvent.click(dialog.getByRole('radio', { name: /^All/ }))
    await dialog.findByText(/The disk holds ext4/)
    expect(dialog.queryByRole('img')).toBeNull()
    expect(share().getAttribute('aria-description')).toContain('confirm the damage')
    fireEvent.click(dialog.getByRole('checkbox', { name: /Share it all the same/ }))
    expect(share().getAttribute('aria-disabled')).toBeNull()

    fireEvent.keyDown(dialog.getByRole('combobox', { name: 'Disk' }), { key: 'Enter' })
    fireEvent.click(await screen.findByRole('option', { name: /disk1 of lab1/ }))
    // What was chosen stays, in the same dialog; what was said of the other disk is not said of this one.
    await dialog.findByText('The disk is empty.')
    expect(dialog.getByRole('img', { name: 'all write and read' })).toBeTruthy()
    fireEvent.change(dialog.getByLabelText('Folder in every guest'), { target: { value: 'shared' } })
    expect(share().getAttribute('aria-description')).toBe('A folder begins with a slash.')
    fireEvent.change(dialog.getByLabelText('Folder in every guest'), { target: { value: '/shared' } })
    expect(share().getAttribute('aria-disabled')).toBeNull()
    fireEvent.click(dialog.getByRole('radio', { name: /^One at a time/ }))
    expect(dialog.getByText(/make a file system on it in lab1 first/)).toBeTruthy()
  })

  it('tell of a client that may have lost a request, beside how it has the disk, with the reset that helps', async () => {
    const double = await openWindow({ machines: MACHINES() })
    double.sendCommand('share.create')
    const dialog = within(await screen.findByRole('dialog'))
    fireEvent.click(dialog.getByRole('checkbox', { name: /lab2/ }))
    fireEvent.click(dialog.getByRole('button', { name: 'Share' }))
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    double.sendCommand('go.shares')
    const card = within(await screen.findByRole('article', { name: 'disk0 of lab1' }))
    expect(card.queryByRole('button', { name: /^Reset/ })).toBeNull()
    const [share] = double.world.shares.values()
    double.world.emit({ kind: 'share-changed', share: { ...share!, clients: share!.clients.map((client) => ({ ...client, reason: 'A request may have been lost.' })) } })
    await card.findByText('A request may have been lost.')
    expect(card.getByText('over vhost-user-blk')).toBeTruthy()
    fireEvent.click(card.getByRole('button', { name: 'Reset lab2…' }))
    const question = within(await screen.findByRole('dialog', { name: 'Reset lab2?' }))
    fireEvent.click(question.getByRole('button', { name: 'Reset' }))
    await waitFor(() => expect(double.calls.filter(({ name }) => name === 'machine.reset')).toHaveLength(1))
  })
})
