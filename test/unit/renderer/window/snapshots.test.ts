import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { expect, it } from 'vitest'
import { newMachine } from '../../../support/bridge-double/samples'
import { openWindow } from '../open-window'

it('snapshots whose machine is not here any more are listed, made into machines, and removed', async () => {
  const double = await openWindow({ machines: [newMachine('lab1', { kind: 'created' }), newMachine('lab2', { kind: 'created' })] })
  double.sendCommand('go.snapshots')
  const page = within(await screen.findByRole('region', { name: 'Snapshots' }))
  await page.findByText('No snapshots yet')
  for (const machine of ['lab1', 'lab2']) await double.call('snapshot.take', { machine, name: `of ${machine}` })
  await page.findByRole('option', { name: /of lab2/ })
  await double.call('machine.remove', { machine: 'lab1' })
  await page.findByText(/the machine is not here/)

  fireEvent.click(page.getByRole('option', { name: /of lab1/ }))
  const chosen = within(page.getByRole('complementary', { name: 'Snapshot of lab1' }))
  expect(chosen.getByRole('button', { name: 'Restore…' }).getAttribute('aria-description')).toContain('not here any more')
  // What Enter does with those of other machines would have nothing to be done with.
  fireEvent.keyDown(page.getByRole('listbox', { name: 'Snapshots of lab1' }), { key: 'Enter' })
  expect((await screen.findByRole('dialog')).textContent).toContain('A new machine from “of lab1”')
  fireEvent.keyDown(screen.getByRole('dialog'), { key: 'Escape' })
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  fireEvent.click(chosen.getByRole('button', { name: 'Remove…' }))
  fireEvent.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Remove' }))
  await waitFor(() => expect(page.queryByRole('option', { name: /of lab1/ })).toBeNull())
  expect(page.getByRole('option', { name: /of lab2/ })).toBeTruthy()
})
