import { expect, test } from '../support/e2e'

/** A snapshot is taken of a running guest, and dragged: onto “now” it is restored, onto the list of machines it becomes a machine. */
test('a snapshot is taken, dragged onto now, and dragged onto the list', async ({ launch }) => {
  const strata = await launch()
  const { page } = strata
  await strata.createMachine('lab1')
  await strata.startMachine('lab1')
  const dialog = page.getByRole('dialog')
  const note = async (text: string): Promise<string> => strata.guest('lab1', 'sh', '-c', `echo ${text} >/dev/shm/note`)

  await note('before')
  await strata.open('lab1', 'Snapshots')
  await expect(page.getByText('lab1 has no snapshots')).toBeVisible()
  await page.getByRole('button', { name: 'Take a snapshot…' }).click()
  await dialog.getByLabel('Name').fill('ready')
  await dialog.getByLabel('Note').fill('before the class')
  await expect(dialog).toContainText('The guest goes on')
  await dialog.getByRole('button', { name: 'Take', exact: true }).click()
  await expect(dialog).toHaveCount(0, { timeout: 60_000 })
  const row = page.getByRole('option').filter({ hasText: 'before the class' })
  await expect(row.getByRole('img', { name: 'The screen at “ready”' })).toBeVisible()

  await note('after')
  await row.dragTo(page.getByTestId('now'))
  await expect(dialog).toContainText('Take lab1 back to “ready”')
  await expect(dialog.getByRole('checkbox', { name: /Keep the present state/ })).toBeChecked()
  await dialog.getByRole('button', { name: 'Restore', exact: true }).click()
  await expect(dialog).toHaveCount(0, { timeout: 60_000 })
  expect(await strata.guest('lab1', 'cat', '/dev/shm/note')).toContain('before')
  await expect(page.getByRole('listbox', { name: 'Snapshots of lab1' }).getByRole('option')).toHaveCount(2)

  await row.dragTo(page.getByRole('listbox', { name: 'Machines' }), { targetPosition: { x: 80, y: 240 } })
  await expect(dialog).toContainText('A new machine from “ready”')
  await dialog.getByLabel('Name').fill('lab2')
  await dialog.getByRole('button', { name: 'Make it' }).click()
  await expect(dialog).toHaveCount(0, { timeout: 60_000 })
  expect(await strata.guest('lab2', 'cat', '/dev/shm/note', '/proc/sys/kernel/hostname')).toContain('before\nlab2')

  // The same by the keyboard.
  await strata.open('lab1', 'Snapshots')
  await page.getByRole('listbox', { name: 'Snapshots of lab1' }).focus()
  await page.keyboard.press('Home')
  await page.keyboard.press('Enter')
  await expect(dialog).toContainText('Take lab1 back to “ready”')
  await page.keyboard.press('Escape')
  await expect(dialog).toHaveCount(0)
  // The focus is back in the tree.
  await expect(page.getByRole('listbox', { name: 'Snapshots of lab1' })).toBeFocused()
  await page.keyboard.press('Delete')
  await expect(dialog).toContainText('Remove “ready”?')
  await dialog.getByRole('button', { name: 'Remove' }).click()
  await expect(dialog).toHaveCount(0)
  await expect(row).toHaveCount(0)
  expect(strata.mistakes).toEqual([])
})
