import { expect, test } from '../support/e2e'

test('what is typed at once after Ctrl+K is looked for: commands and machines', async ({ launch }) => {
  const strata = await launch()
  await strata.createMachine('needle', { source: 'none', disk: '0' })
  await strata.page.keyboard.press('Control+K')
  await strata.page.keyboard.type('needle')
  await expect(strata.page.getByRole('combobox')).toHaveValue('needle')
  await strata.page.keyboard.press('Enter')
  await expect(strata.page.getByRole('heading', { name: 'needle' })).toBeVisible()
})
