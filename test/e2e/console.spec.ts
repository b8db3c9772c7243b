import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '../support/e2e'

test.beforeEach(async ({ lab: { strata, machine } }) => {
  await strata.open(machine, 'Console')
  await expect(strata.terminal('console')).toContainText('root@lab1')
})

test('what is typed reaches the shell of the guest, and its answer is shown', async ({ lab: { strata } }) => {
  await strata.typeLine('console', 'echo sum-$((40+2))')
  await expect(strata.terminal('console')).toContainText('sum-42')
})

test('everything since the boot is there after the window was loaded again', async ({ lab: { strata, machine } }) => {
  await strata.typeLine('console', 'clear; echo before-the-reload')
  await strata.page.reload()
  await expect(strata.terminal('console')).toContainText('before-the-reload')
  const { text } = await strata.need('console.log', { machine })
  expect(text).toContain('Strata guest')
  // Nothing of what was replayed was answered into the guest.
  await strata.typeLine('console', 'echo an""swer')
  await expect(strata.terminal('console')).toContainText('answer')
  await expect(strata.terminal('console')).not.toContainText('not found')
})

test('text is found, counted, and gone through', async ({ lab: { strata } }) => {
  const { page } = strata
  await strata.typeLine('console', 'clear; for n in 1 2 3; do echo need""le $n; done')
  await expect(strata.terminal('console')).toContainText('needle 3')
  await page.keyboard.press('Control+F')
  await page.keyboard.type('needle')
  const found = page.getByRole('search').getByRole('status')
  await expect(found).toHaveText(/^(\d+) of \1$/)
  const count = Number((await found.textContent())!.split(' ').at(-1))
  await page.keyboard.press('Enter')
  await expect(found).toHaveText(`${count - 1} of ${count}`)
  await page.keyboard.press('Shift+Enter')
  await expect(found).toHaveText(`${count} of ${count}`)
  await page.getByRole('button', { name: 'Regular expression' }).click()
  await page.getByLabel('Find in the console').fill('needle [23]$')
  await expect(found).toHaveText(/^[12] of 2$/)
  await page.getByLabel('Find in the console').fill('[')
  await expect(found).toHaveText('not a regular expression')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('search')).toHaveCount(0)
})

test('copies a selection and pastes many lines without losing one', async ({ lab: { strata, machine } }) => {
  const { page, app } = strata
  const lines = Array.from({ length: 200 }, (_, index) => `line ${index} ${'x'.repeat(40)}`)
  await app.evaluate(({ clipboard }, text) => clipboard.writeText(text), `cat > /root/pasted <<'END'\n${lines.join('\n')}\nEND\n`)
  await page.getByTestId('console').click()
  await page.keyboard.press('Control+Shift+V')
  await expect.poll(() => strata.guest(machine, 'sh', '-c', 'cat /root/pasted 2>/dev/null || true'), { timeout: 20_000 }).toBe(lines.join('\n') + '\n')

  await strata.typeLine('console', 'clear; echo copy-""me')
  await expect(strata.terminal('console')).toContainText('copy-me')
  await page.keyboard.press('Control+Shift+A')
  await page.keyboard.press('Control+Shift+C')
  await expect.poll(() => app.evaluate(({ clipboard }) => clipboard.readText())).toContain('copy-me')
})

test('keys that are commands of the window elsewhere go to the guest', async ({ lab: { strata } }) => {
  const { page } = strata
  await page.getByTestId('console').click()
  await page.keyboard.type('echo kept-""line # thrown away')
  for (let count = 0; count < ' # thrown away'.length; count++) await page.keyboard.press('ArrowLeft')
  // Kill to the end of the line; in the window, the command palette.
  await page.keyboard.press('Control+K')
  await page.keyboard.press('Enter')
  await expect(strata.terminal('console')).toContainText('kept-line')
  await expect(page.getByRole('dialog')).toHaveCount(0)
  // Ctrl and Alt together give the keyboard back.
  await page.keyboard.press('Control+Alt')
  await expect(page.getByRole('tab', { name: 'Console' })).toBeFocused()
})

test('50 MB from the guest neither freeze the window nor stay in its memory', async ({ lab: { strata, machine } }) => {
  const { page } = strata
  const memory = (): Promise<number> => strata.app.evaluate(({ app }) => app.getAppMetrics().reduce((sum, { memory: { workingSetSize } }) => sum + workingSetSize, 0) / 1024)
  // The guest's own serial port is slow under emulation: what it would print is put where QEMU puts it.
  const line = 'the quick brown fox jumps over the lazy dog \x1b[32mgreen\x1b[0m '
  const block = Array.from({ length: 10_000 }, (_, index) => `${line}${index}\r\n`).join('')
  const flood = (): void => {
    for (let written = 0; written < 50e6; written += block.length) appendFileSync(join(strata.home.library, 'machines', machine, 'console.log'), block)
  }
  // The first one fills the scrollback, which stays.
  flood()
  await strata.typeLine('console', 'echo after-the-""first')
  await expect(strata.terminal('console')).toContainText('after-the-first', { timeout: 60_000 })
  const before = await memory()
  flood()
  // The window answers meanwhile: a menu opens.
  await page.getByRole('button', { name: 'More', exact: true }).click({ timeout: 5000 })
  await expect(page.getByRole('menuitem', { name: 'Save log…' })).toBeVisible({ timeout: 5000 })
  await page.keyboard.press('Escape')
  await strata.typeLine('console', 'echo after-the-""second')
  await expect(strata.terminal('console')).toContainText('after-the-second', { timeout: 60_000 })
  // Less than the flood: had the window kept it, it would be more.
  await expect.poll(async () => (await memory()) - before).toBeLessThan(45)
})

test('the log is saved as a file, whole', async ({ lab: { strata, machine } }) => {
  const file = join(strata.home.folder, 'saved.log')
  await strata.app.evaluate(({ session }, path) => session.defaultSession.once('will-download', (_event, item) => item.setSavePath(path)), file)
  const done = strata.app.evaluate(({ session }) => new Promise((resolve) => session.defaultSession.once('will-download', (_event, item) => item.once('done', (_done, state) => resolve(state)))))
  await strata.page.getByRole('button', { name: 'Save log…' }).click()
  expect(await done).toBe('completed')
  const { totalBytes } = await strata.need('console.log', { machine, tailBytes: 1 })
  const saved = readFileSync(file)
  expect(saved.length).toBeGreaterThan(0)
  expect(saved.length).toBeLessThanOrEqual(totalBytes)
  expect(saved.toString()).toContain('Strata guest')
})

test('the console follows the machine: paused, off with its last words, started again', async ({ lab: { strata, machine } }) => {
  const { page } = strata
  await strata.typeLine('console', 'clear; echo last-""words')
  await expect(strata.terminal('console')).toContainText('last-words')
  await strata.need('machine.pause', { machine })
  await expect(page.getByText('lab1 is paused.')).toBeVisible()
  await page.getByRole('main').getByRole('status').getByRole('button', { name: 'Resume' }).click()
  await expect(page.getByText('lab1 is paused.')).toHaveCount(0)

  await strata.done('machine.stop', { machine, force: true })
  await expect(page.getByText('lab1 is off.')).toBeVisible()
  await expect(strata.terminal('console')).toContainText('last-words')
  await page.getByRole('main').getByRole('status').getByRole('button', { name: 'Start' }).click()
  await expect(strata.terminal('console')).toContainText('root@lab1', { timeout: 30_000 })
  await expect(strata.terminal('console')).not.toContainText('last-words')
})
