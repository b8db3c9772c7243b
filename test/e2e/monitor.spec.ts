import type { Page } from '@playwright/test'
import { expect, test } from '../support/e2e'

test.beforeEach(async ({ lab: { strata, machine } }) => {
  await strata.open(machine, 'Monitor')
})

test.describe('HMP', () => {
  test.beforeEach(async ({ lab: { strata } }) => {
    await strata.page.getByRole('radio', { name: 'HMP' }).check({ force: true })
    await expect(strata.terminal('monitor')).toContainText('(qemu)')
    await strata.page.getByTestId('monitor').click()
    // Whatever the test before left in the line and on the screen.
    await strata.page.keyboard.press('Control+C')
    await strata.page.keyboard.press('Control+L')
  })

  test('runs a line in QEMU and prints its answer', async ({ lab: { strata } }) => {
    await strata.typeLine('monitor', 'info status')
    await expect(strata.terminal('monitor')).toContainText('VM status: running')
    await strata.typeLine('monitor', 'no-such-thing')
    await expect(strata.terminal('monitor')).toContainText("unknown command: 'no-such-thing'")
  })

  test('completes from QEMU’s own help, and explains what fits', async ({ lab: { strata } }) => {
    const { page } = strata
    await page.keyboard.type('inf')
    await page.keyboard.press('Tab')
    await page.keyboard.type('vers')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await expect(strata.terminal('monitor')).toContainText(/info version\s*\d+\.\d+/)
    await page.keyboard.type('info blo')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await expect(strata.terminal('monitor')).toContainText('show block device statistics')
    await page.keyboard.press('Control+U')
    await page.keyboard.type('change ')
    await expect(strata.terminal('monitor')).toContainText('device [-f] filename')
  })

  test('remembers lines: arrow keys and a search backwards', async ({ lab: { strata } }) => {
    const { page } = strata
    await strata.typeLine('monitor', 'info name')
    await strata.typeLine('monitor', 'info uuid')
    await expect(strata.terminal('monitor')).toContainText(/info uuid\s*[0-9a-f-]{36}/)
    await page.keyboard.press('Control+L')
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('ArrowUp')
    await expect(strata.terminal('monitor')).toContainText('info name')
    await page.keyboard.press('Control+C')
    await page.keyboard.press('Control+R')
    await page.keyboard.type('uu')
    await expect(strata.terminal('monitor')).toContainText('(search “uu”) info uuid')
    await page.keyboard.press('Enter')
    await expect(strata.terminal('monitor')).toContainText(/info uuid\s*[0-9a-f-]{36}/)
  })
})

test.describe('QMP', () => {
  const messages = (page: Page) => page.getByRole('listbox', { name: 'QMP messages' }).getByRole('option')
  const send = async (page: Page, line: string): Promise<void> => {
    await page.getByLabel('QMP command').fill(line)
    await page.keyboard.press('Enter')
  }
  test.beforeEach(async ({ lab: { strata } }) => {
    await strata.page.getByRole('radio', { name: 'QMP' }).check({ force: true })
    await strata.page.getByLabel('Filter messages').fill('')
    await strata.page.getByLabel('QMP command').waitFor()
  })

  test('shows a command and its answer as they pass, and unfolds and copies them', async ({ lab: { strata } }) => {
    const { page, app } = strata
    await send(page, 'query-name')
    const answer = messages(page).filter({ hasText: 'return' }).filter({ hasText: 'query-name' }).last()
    await expect(answer).toContainText('"name":"lab1"')
    await answer.getByText('query-name').click()
    await expect(answer).toHaveAttribute('aria-expanded', 'true')
    await expect(answer.locator('pre')).toContainText('"name": "lab1"')
    await answer.getByRole('button', { name: 'Copy as JSON' }).click()
    await expect.poll(async () => (JSON.parse(await app.evaluate(({ clipboard }) => clipboard.readText())) as { return: { name: string } }).return.name).toBe('lab1')
  })

  test('shows an error of QEMU, and says itself what is no command', async ({ lab: { strata } }) => {
    const { page } = strata
    await send(page, 'device_del {"id": "nobody"}')
    await expect(messages(page).filter({ hasText: "Device 'nobody' not found" }).last()).toBeVisible()
    await send(page, 'device_del {"id" "nobody"}')
    await expect(page.getByRole('alert')).toContainText('has to be a JSON object')
  })

  test('filters by text, hides polling, and stops while it is paused', async ({ lab: { strata, machine } }) => {
    const { page } = strata
    await strata.need('qmp.run', { machine, command: 'query-blockstats' })
    await strata.need('qmp.run', { machine, command: 'query-uuid' })
    await page.getByLabel('Filter messages').fill('"execute":"query-uuid"')
    await expect(messages(page).first()).toContainText('query-uuid')
    await page.getByLabel('Filter messages').fill('"execute":"query-blockstats"')
    await expect(messages(page)).toHaveCount(0)
    await page.getByRole('switch', { name: 'Hide polling' }).uncheck()
    await expect(messages(page).first()).toContainText('query-blockstats')
    await page.getByRole('switch', { name: 'Hide polling' }).check()

    await page.getByLabel('Filter messages').fill('"execute":"query-target"')
    await page.getByRole('button', { name: 'Pause' }).last().click()
    await strata.need('qmp.run', { machine, command: 'query-target' })
    await expect(messages(page)).toHaveCount(0)
    await page.getByRole('button', { name: 'Go on' }).click()
    await expect(messages(page).filter({ hasText: 'query-target' }).filter({ hasText: 'command' }).last()).toBeVisible()
  })

  test('stays small and in order when thousands of messages pass', async ({ lab: { strata, machine } }) => {
    const { page } = strata
    await page.evaluate(async (id) => {
      for (let round = 0; round < 30; round++) {
        await Promise.all(Array.from({ length: 100 }, () => window.strata.call('qmp.run', { machine: id, command: 'query-version' })))
      }
    }, machine)
    await expect(page.getByText(/^(\d+ of )?5000\smessages$/)).toBeVisible()
    // Only the rows in sight are in the page.
    expect(await messages(page).count()).toBeLessThan(100)
  })
})
