import { expect, test } from '../support/e2e'

test.beforeEach(async ({ lab: { strata, machine } }) => strata.open(machine, 'Overview'))

test('the wizard creates a machine whose defaults need no change, and Back loses nothing', async ({ lab: { strata } }) => {
  const { page } = strata
  await page.keyboard.press('Control+N')
  const wizard = page.getByRole('dialog', { name: 'New machine' })
  await wizard.getByLabel('Name', { exact: true }).fill('from-wizard')
  await wizard.getByRole('button', { name: 'Next' }).click()
  await expect(wizard.getByRole('heading', { name: 'Hardware' })).toBeVisible()
  await wizard.getByRole('button', { name: 'Next' }).click()
  await expect(wizard.getByRole('heading', { name: 'Disk' })).toBeVisible()
  await wizard.getByRole('button', { name: 'Back' }).click()
  await wizard.getByRole('button', { name: 'Back' }).click()
  await expect(wizard.getByLabel('Name', { exact: true })).toHaveValue('from-wizard')
  await wizard.getByRole('button', { name: /Summary/ }).click()
  await wizard.getByRole('button', { name: 'Create', exact: true }).click()
  await expect(wizard).toHaveCount(0)
  await expect(strata.row('from-wizard')).toBeVisible()
  const { definition } = await strata.need('machine.show', { machine: 'from-wizard' })
  expect(definition).toMatchObject({ name: 'from-wizard', cpus: 2, memoryBytes: 256 * 2 ** 20, disks: [{ id: 'disk0' }], nics: [{ network: { kind: 'user' } }] })
  await strata.need('machine.remove', { machine: 'from-wizard' })
})

test('a name that is taken or impossible is refused where it is typed', async ({ lab: { strata, machine } }) => {
  const { page } = strata
  await page.keyboard.press('Control+N')
  const wizard = page.getByRole('dialog', { name: 'New machine' })
  for (const wrong of [machine, '../escape', ' ', 'x'.repeat(65)]) {
    await wizard.getByLabel('Name', { exact: true }).fill(wrong)
    await expect(wizard.getByLabel('Name', { exact: true })).toHaveAttribute('aria-invalid', 'true')
    await expect(wizard.getByRole('button', { name: 'Next' })).toHaveAttribute('aria-disabled', 'true')
  }
  await page.keyboard.press('Escape')
  await expect(wizard).toHaveCount(0)
})
