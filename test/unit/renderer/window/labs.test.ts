import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { expect, it } from 'vitest'
import { newMachine } from '../../../support/bridge-double/samples'
import { openWindow } from '../open-window'

it('class labs begin with what to do, are made of a snapshot, and shown as a wall', async () => {
  const double = await openWindow({ machines: [newMachine('lab1', { kind: 'running', pid: 1, sinceMs: 0 }), newMachine('lab-1', { kind: 'created' })] })
  double.sendCommand('go.labs')
  const page = within(await screen.findByRole('region', { name: 'Class labs' }))
  await page.findByText('No class labs yet')
  expect(page.getAllByRole('button', { name: 'New class lab…' })[0]!.getAttribute('aria-description')).toContain('Take a snapshot')
  await double.call('snapshot.take', { machine: 'lab1', name: 'ready' })
  await waitFor(async () => {
    const listed = await double.call('snapshot.list', {})
    expect(listed.ok && listed.value.length).toBe(1)
  })

  double.sendCommand('lab.deploy')
  const dialog = within(await screen.findByRole('dialog'))
  const name = dialog.getByRole('textbox', { name: 'Name' })
  fireEvent.change(name, { target: { value: 'lab' } }) // its first would be lab-1
  const make = (): HTMLElement => dialog.getByRole('button', { name: 'Make and start it' })
  await waitFor(() => expect(make().getAttribute('aria-description') ?? '').toContain('lab-1 already'))
  fireEvent.change(name, { target: { value: 'ws' } })
  fireEvent.change(dialog.getByLabelText('How many machines'), { target: { value: '3' } })
  await waitFor(() => expect(make().getAttribute('aria-disabled')).not.toBe('true'))
  fireEvent.click(make())
  const wall = within(await page.findByRole('article', { name: 'ws' }))
  expect(wall.getAllByRole('listitem').map((tile) => tile.getAttribute('aria-label'))).toEqual(['ws-1', 'ws-2', 'ws-3'])
  expect(wall.getByText(/3 machines, 3 on/)).toBeTruthy()

  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  fireEvent.click(wall.getByRole('button', { name: 'Make ws-2 anew' }))
  const question = within(await screen.findByRole('dialog'))
  expect(question.getByText(/What was done in it is lost/)).toBeTruthy()
  // While that is done the machine becomes another one; what was asked does not become all of them.
  const idOf = async (): Promise<string | undefined> => {
    const labs = await double.call('lab.list', {})
    return labs.ok ? labs.value[0]?.machines[1]?.machineId : undefined
  }
  const before = await idOf()
  await double.call('lab.recreate', { lab: 'ws', machine: 'ws-2' })
  await waitFor(async () => expect(await idOf()).not.toBe(before))
  expect(question.getByText('Make ws-2 anew?')).toBeTruthy()
  fireEvent.click(question.getByRole('button', { name: 'Make anew' }))
  await waitFor(() => expect(double.calls.findLast((one) => one.name === 'lab.recreate')?.input).toMatchObject({ machine: expect.any(String) as string }))
})
