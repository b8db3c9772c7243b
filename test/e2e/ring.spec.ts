import { expect, test } from '../support/e2e'

/** The ring lab clicked through with the real service and clients. */
test('the ring is started, loaded, looked at and stopped', async ({ launch }) => {
  const strata = await launch()
  const { page } = strata
  await page.getByRole('button', { name: 'Ring lab' }).click()
  await expect(page.getByRole('heading', { name: 'How it works' })).toBeVisible()
  await page.getByRole('button', { name: 'Start the service' }).click()
  await expect(page.getByText('No client yet.')).toBeVisible()

  // Strata itself is the first client: its indexes stand at the number of its requests.
  await page.getByRole('spinbutton', { name: 'One sector' }).fill('9')
  await page.getByRole('button', { name: 'Read', exact: true }).click()
  await expect(page.getByRole('img', { name: /^Ring of client \d+: 0\srequests waiting, 0\sreads in flight/ })).toBeVisible()
  await expect(page.getByText(/(ns|µs|ms): [0-9a-f]{2} /)).toBeVisible()

  await page.getByRole('spinbutton', { name: 'Clients' }).fill('2')
  await page.getByRole('spinbutton', { name: 'Sectors of each' }).fill('20000')
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await expect(page.getByText(/2\sclients read 40,000 sectors; each was compared with the image, and is right/)).toBeVisible({ timeout: 60_000 })

  await page.getByRole('button', { name: 'Compare' }).click()
  const comparison = page.getByRole('region', { name: 'Ring, vhost-user-blk and NBD' })
  await expect(comparison.getByRole('listitem')).toHaveCount(3, { timeout: 60_000 })

  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(page.getByRole('button', { name: 'Start the service' })).toBeVisible()
  expect((await strata.need('ring.show', {})).service).toEqual({ kind: 'off' })
})
