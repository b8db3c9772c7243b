import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '../support/e2e'
import { digestOf, MiB, writePieces } from '../support/store'

/** An image is archived, removed and made again by the mouse; what counts is that its bytes are the same. */
test('images are archived beside each other, verified, measured, and made again', async ({ launch }) => {
  const strata = await launch()
  const { page } = strata
  const folder = mkdtempSync(join(tmpdir(), 'strata-e2e-'))
  for (const name of ['monday', 'tuesday']) {
    writePieces(join(folder, name), 64 * MiB, [{ at: 0, seed: 'shared', bytes: 12 * MiB }, { at: 32 * MiB, seed: name, bytes: 3 * MiB }])
    await strata.done('image.import', { path: join(folder, name), format: 'raw', kind: 'disk' })
  }
  rmSync(folder, { recursive: true })
  const imageOf = async (name: string) => (await strata.need('image.list', {})).find((image) => image.name === name)!
  const before = digestOf((await imageOf('monday')).path)

  await page.getByRole('button', { name: 'Store', exact: true }).click()
  await expect(page.getByText('Nothing is archived yet')).toBeVisible()
  const dialog = page.getByRole('dialog')
  for (const name of ['monday', 'tuesday']) {
    await page.getByRole('button', { name: 'Archive an image…' }).first().click()
    await dialog.getByLabel('Image').click()
    await page.getByRole('option', { name }).click()
    await dialog.getByLabel('Note').fill(`as it was on ${name}`)
    await dialog.getByRole('button', { name: 'Archive', exact: true }).click()
    await expect(page.getByRole('row', { name: new RegExp(`^${name}`) })).toBeVisible()
  }
  await expect(page.getByRole('figure', { name: 'Logical against stored size' })).toContainText('shared')
  await page.getByRole('button', { name: 'Verify' }).click()
  await expect(page.getByText('Everything was as it was saved: 2 archives')).toBeVisible()

  await strata.need('image.remove', { image: 'monday' })
  await page.getByRole('button', { name: 'Make an image of monday' }).click()
  await expect(page.getByText('“monday” is among the images.')).toBeVisible()
  expect(digestOf((await imageOf('monday')).path)).toBe(before)

  await page.getByRole('button', { name: 'Measure' }).click()
  await expect(page.getByRole('figure', { name: 'Size against chunk size' })).toContainText('64')
  await expect(page.getByRole('figure', { name: 'Time against chunk size' })).toContainText('loading')

  await page.getByRole('button', { name: 'Remove tuesday' }).click()
  await dialog.getByRole('button', { name: 'Remove' }).click()
  await expect(page.getByRole('row', { name: /^tuesday/ })).toHaveCount(0)
  await page.getByRole('button', { name: 'Clean up' }).click()
  await expect(page.getByText('given back')).toBeVisible()
  expect(await strata.need('store.stats', {})).toMatchObject({ unusedBytes: 0 })
})
