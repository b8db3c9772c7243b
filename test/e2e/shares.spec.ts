import { join } from 'node:path'
import { expect, test } from '../support/e2e'
import { TOP } from '../support/e2e-app'

/** A disk shared with a machine that runs, clicked through; what counts is what the other guest reads. */
test('a disk is shared in a dialog, read by another guest, and taken back', async ({ launch }) => {
  const strata = await launch()
  const { page } = strata
  const machine = { memory: '160M', cpus: 1, network: [] }
  await strata.createMachine('lab1', machine)
  await strata.createMachine('lab2', { ...machine, sharedMemory: true })
  await strata.done('disk.create', { machine: 'lab1', size: '16M' })
  await Promise.all([strata.startMachine('lab1'), strata.startMachine('lab2')])
  await strata.guest('lab1', 'sh', '-c', 'echo from lab1 | dd of=/dev/vdb conv=fsync,sync bs=512')

  await strata.open('lab1', 'Disks')
  await page.getByText('disk1').first().dragTo(strata.row('lab2'))
  const dialog = page.getByRole('dialog')
  await expect(dialog).toContainText('Share disk1 of lab1')
  await expect(dialog.getByRole('checkbox', { name: /lab2/ })).toBeChecked()
  await dialog.getByRole('radio', { name: /^All/ }).check()
  await expect(dialog).toContainText('Only one machine may write to it at a time')
  await expect(dialog.getByRole('button', { name: 'Share', exact: true })).toHaveAttribute('aria-disabled', 'true')
  await page.screenshot({ path: join(TOP, 'test/e2e/shots/63-share-all-write.png') })
  await dialog.getByRole('radio', { name: /^One at a time/ }).check()
  await page.screenshot({ path: join(TOP, 'test/e2e/shots/60-share-dialog.png') })
  await dialog.getByRole('button', { name: 'Share', exact: true }).click()
  await expect(dialog).toHaveCount(0, { timeout: 30_000 })
  await page.getByRole('button', { name: /^Shares/ }).first().click()
  const card = page.getByRole('article', { name: 'disk1 of lab1' })
  await expect(card).toContainText('Connected')
  await expect(card).toContainText('The QEMU of lab1 serves it')
  await page.screenshot({ path: join(TOP, 'test/e2e/shots/61-shares.png') })
  await card.getByRole('button', { name: 'Limit what lab2 asks' }).click()
  const limit = page.getByRole('dialog')
  await limit.getByLabel('Requests a second').fill('500')
  await limit.getByLabel('Bytes a second').fill('10M')
  await page.screenshot({ path: join(TOP, 'test/e2e/shots/66-share-limit.png') })
  await limit.getByRole('button', { name: 'Set' }).click()
  await expect(card).toContainText('at most 500 requests a second and 10')
  expect(await strata.guest('lab2', 'sh', '-c', 'dd if=/dev/vdb bs=512 count=1 iflag=direct | head -n 1')).toContain('from lab1')

  await card.getByRole('button', { name: 'Let lab2 write…' }).click()
  await page.screenshot({ path: join(TOP, 'test/e2e/shots/64-hand-over.png') })
  await page.getByRole('dialog').getByRole('button', { name: 'Hand it over' }).click()
  await expect(card.getByRole('button', { name: 'Let lab1 write…' })).toBeVisible({ timeout: 30_000 })
  await expect(card).toContainText('Connected', { timeout: 30_000 })
  await page.screenshot({ path: join(TOP, 'test/e2e/shots/65-handed-over.png') })
  await strata.guest('lab2', 'sh', '-c', 'echo from lab2 | dd of=/dev/vdb conv=fsync,sync bs=512 seek=1')

  await strata.done('machine.stop', { machine: 'lab1' })
  await expect(card).toContainText('a storage daemon serves it', { timeout: 30_000 })
  await expect(card).toContainText('Connected', { timeout: 30_000 })
  expect(await strata.guest('lab2', 'sh', '-c', 'dd if=/dev/vdb bs=512 count=1 iflag=direct | head -n 1')).toContain('from lab1')
  await card.getByRole('button', { name: 'End the share…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'End the share' }).click()
  await expect(page.getByText('No disk is shared')).toBeVisible({ timeout: 30_000 })
  await page.screenshot({ path: join(TOP, 'test/e2e/shots/62-no-shares.png') })
})
