import { expect, test } from '../support/e2e'

test('stop asks the guest, which powers off', async ({ launch }) => {
  const strata = await launch()
  await strata.createMachine('polite')
  await strata.startMachine('polite')
  await strata.open('polite', 'Overview')
  await strata.page.getByRole('button', { name: 'Stop' }).click()
  await expect(strata.row('polite')).toContainText(/Off|Stopped/, { timeout: 30_000 })
  const { state } = await strata.need('machine.show', { machine: 'polite' })
  expect(state).toMatchObject({ kind: 'stopped', exit: { reason: 'The guest powered off.', exitCode: 0 } })
})

test('a guest that does not react is given its time, then force is offered, and asked about', async ({ launch }) => {
  const strata = await launch()
  const { page } = strata
  // Nothing to boot from: the firmware waits, and knows no power button.
  await strata.createMachine('deaf', { source: 'none', disk: '0', memory: '64M' })
  await strata.need('settings.edit', { stopTimeoutSeconds: 2 })
  await strata.startMachine('deaf', 'running')
  await strata.open('deaf', 'Overview')
  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(page.getByText('force is offered in').first()).toBeVisible()
  await page.getByRole('button', { name: 'Force off…' }).click()
  const question = page.getByRole('alertdialog').or(page.getByRole('dialog'))
  await expect(question).toContainText('What the guest has not written to its disks is lost')
  await question.getByRole('button', { name: 'Force off' }).click()
  await expect(strata.row('deaf')).toContainText(/Off|Stopped/)
})

test('deleting can be undone, for one and for a selection', async ({ launch }) => {
  const strata = await launch()
  const { page } = strata
  for (const name of ['one', 'two', 'three']) await strata.createMachine(name, { source: 'none', disk: '0' })
  await strata.row('one').click()
  await page.keyboard.press('Delete')
  await expect(strata.row('one')).toHaveCount(0)
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(strata.row('one')).toHaveCount(1)

  await strata.row('one').click()
  await strata.row('three').click({ modifiers: ['Control'] })
  await page.keyboard.press('Delete')
  await expect(strata.row('three')).toHaveCount(0)
  await expect(strata.row('two')).toHaveCount(1)
  await page.keyboard.press('Control+Z')
  await expect(strata.row('one')).toHaveCount(1)
  await expect(strata.row('three')).toHaveCount(1)
})

test('QEMU that dies is told, with how it ended', async ({ launch }) => {
  const strata = await launch()
  await strata.createMachine('frail', { source: 'none', disk: '0', memory: '64M' })
  const { state } = await strata.startMachine('frail', 'running')
  if (!('pid' in state)) throw new Error('it does not run')
  process.kill(state.pid, 'SIGKILL')
  await strata.open('frail', 'Display')
  await expect(strata.page.getByText('frail ended unexpectedly')).toBeVisible()
  await expect(strata.page.getByText('SIGKILL').first()).toBeVisible()
})
