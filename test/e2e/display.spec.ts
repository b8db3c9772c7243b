import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { expect, test } from '../support/e2e'

/** How many pixels of the guest's screen are lit. */
const litPixels = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('[data-testid=display] canvas')!
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
    let lit = 0
    for (let at = 0; at < data.length; at += 4) if (data[at]! + data[at + 1]! + data[at + 2]! > 96) lit++
    return lit
  })

const screenSize = (page: Page): Promise<string> => page.getByTestId('display').locator('canvas').evaluate((canvas: HTMLCanvasElement) => `${canvas.width}x${canvas.height}`)

test.beforeEach(async ({ lab: { strata, machine } }) => {
  await strata.open(machine, 'Display')
  await expect(strata.page.getByTestId('display')).toHaveAttribute('data-connection', 'live', { timeout: 15_000 })
})

test('shows the login, and keys that are pressed arrive in the guest', async ({ lab: { strata, machine } }) => {
  const { page } = strata
  // The firmware writes in 720 x 400; the guest's own console has the screen when it is another size.
  await expect.poll(() => screenSize(page), { timeout: 30_000 }).not.toBe('720x400')
  await expect.poll(() => litPixels(page)).toBeGreaterThan(500)
  const before = await litPixels(page)
  await page.getByTestId('display').click()
  await expect(page.getByText('Keyboard: lab1')).toBeVisible()
  // No capitals: this keyboard presses places, and never Shift.
  await page.keyboard.type('touch /root/typed\n', { delay: 20 })
  await expect.poll(() => strata.guest(machine, 'ls', '/root'), { timeout: 15_000 }).toContain('typed\n')
  await expect.poll(() => litPixels(page)).not.toBe(before)
})

test('takes the keyboard when it is clicked, and gives it back for Ctrl+Alt', async ({ lab: { strata } }) => {
  const { page } = strata
  await page.getByTestId('display').click()
  await expect(page.getByText('Keyboard: lab1')).toBeVisible()
  // The guest's while it has the keyboard.
  await page.keyboard.press('Control+K')
  await expect(page.getByRole('dialog')).toHaveCount(0)
  await page.keyboard.press('Control+Alt')
  await expect(page.getByText('Click the screen to type into it.')).toBeVisible()
  await expect(page.getByRole('tab', { name: 'Display' })).toBeFocused()
  await page.keyboard.press('Control+K')
  await expect(page.getByRole('dialog')).toBeVisible()
  await page.keyboard.press('Escape')
})

test('types what is on the clipboard, and says what it could not', async ({ lab: { strata, machine } }) => {
  const { page, app } = strata
  // Short: keys have no flow control, and a guest that stands still for a while (emulated, on a busy computer) loses some of many.
  await app.evaluate(({ clipboard }) => clipboard.writeText('touch "/root/A_{b}"é\n'))
  await page.getByRole('button', { name: 'Type what is on the clipboard' }).click()
  await expect.poll(() => strata.guest(machine, 'ls', '/root'), { timeout: 15_000 }).toContain('A_{b}\n')
  await expect(page.getByText('Not everything was typed.')).toBeVisible()
})

test('saves a picture of the screen', async ({ lab: { strata } }) => {
  const file = join(strata.home.folder, 'screen.png')
  await strata.app.evaluate(({ dialog }, filePath) => {
    dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath })
  }, file)
  await strata.page.getByRole('button', { name: 'Save a picture of the screen…' }).click()
  await expect(strata.page.getByText('The picture was saved.')).toBeVisible()
  expect(readFileSync(file).subarray(1, 4).toString()).toBe('PNG')
})

test('fits the window or shows pixels as they are', async ({ lab: { strata } }) => {
  const { page } = strata
  const canvas = page.getByTestId('display').locator('canvas')
  const button = page.getByRole('button', { name: 'Fit to the window' })
  if ((await button.getAttribute('aria-pressed')) === 'true') await button.click()
  const size = await canvas.evaluate((element: HTMLCanvasElement) => ({ width: element.width, shown: element.getBoundingClientRect().width }))
  expect(size.shown).toBe(size.width)
  await button.click()
  await expect.poll(() => canvas.evaluate((element) => element.getBoundingClientRect().width)).not.toBe(size.width)
})
