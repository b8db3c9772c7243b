import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '../support/e2e'
import type { Home } from '../support/e2e-app'

/** A PATH with what the app needs of the system, but QEMU. */
function withoutQemu(home: Home): string {
  const folder = join(home.folder, 'bin')
  mkdirSync(folder)
  for (const program of ['flock', 'cp', 'qemu-img']) symlinkSync(`/usr/bin/${program}`, join(folder, program))
  return folder
}

/** Boots nothing: QEMU runs in a moment. */
const EMPTY = { source: 'none', disk: '10M', memory: '64M', cpus: 1, network: [] }

test('the first run creates and boots a machine with one button, and opens its console', async ({ launch }) => {
  const strata = await launch()
  await strata.page.getByRole('button', { name: 'Create and start your first machine' }).click()
  await expect(strata.page.getByRole('tab', { name: 'Console' })).toHaveAttribute('aria-selected', 'true', { timeout: 20_000 })
  await expect(strata.terminal('console')).toContainText('root@first-lab', { timeout: 40_000 })
})

test('the wizard creates a machine by keyboard alone, and Back loses nothing', async ({ launch }) => {
  const { page } = await launch()
  await page.keyboard.press('Control+N')
  const name = page.getByLabel('Name', { exact: true })
  await expect(name).toBeFocused()
  await name.fill('Übung 7')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Back' }).click()
  await expect(name).toHaveValue('Übung 7')
  await page.keyboard.press('Control+Enter')
  await expect(page.getByRole('listbox', { name: 'Machines' }).getByRole('option', { name: 'Übung 7' })).toContainText('Running', { timeout: 30_000 })
})

test('killed with three machines running, the app finds all three running within a second of its next start', async ({ launch }) => {
  const first = await launch()
  for (const name of ['a', 'b', 'c']) {
    await first.createMachine(name, EMPTY)
    await first.startMachine(name, 'running')
  }
  await first.kill()
  const began = Date.now()
  const second = await launch()
  await expect(second.page.getByRole('option', { name: /Running/ })).toHaveCount(3)
  const took = Date.now() - began
  const painted = await second.page.evaluate(() => performance.getEntriesByName('strata:list-painted')[0]?.startTime ?? Infinity)
  expect(painted, `listed ${painted} ms after the page began, ${took} ms after the launch`).toBeLessThan(1000)
  expect((await second.need('monitor.run', { machine: 'b', line: 'info name' })).output.trim()).toBe('b')
  await second.open('b', 'Console')
  await second.done('machine.stop', { machine: 'b', force: true })
  await expect(second.row('b')).toContainText('Stopped')
})

test('machines outlive a window that is closed in good order', async ({ launch }) => {
  const first = await launch()
  await first.createMachine('lab1', EMPTY)
  const { state } = await first.startMachine('lab1', 'running')
  await first.quit()
  const second = await launch()
  expect((await second.need('machine.show', { machine: 'lab1' })).state).toEqual(state)
})

test('a deleted machine comes back with Undo', async ({ launch }) => {
  const strata = await launch()
  await strata.createMachine('lab1', EMPTY)
  await strata.row('lab1').click()
  await strata.page.keyboard.press('Control+Delete')
  await expect(strata.row('lab1')).toHaveCount(0)
  await strata.page.getByRole('button', { name: 'Undo' }).click()
  await expect(strata.row('lab1')).toHaveCount(1)
})

test('a guest that does not power off in time is offered force', async ({ launch }) => {
  const strata = await launch()
  await strata.need('settings.edit', { stopTimeoutSeconds: 1 })
  await strata.createMachine('lab1', EMPTY)
  await strata.startMachine('lab1', 'running')
  await strata.open('lab1', 'Overview')
  await strata.page.getByRole('button', { name: 'Stop', exact: true }).click()
  await expect(strata.row('lab1')).toContainText('Not stopping', { timeout: 10_000 })
  await strata.page.getByRole('button', { name: /Force off/ }).first().click()
  await strata.page.getByRole('dialog').getByRole('button', { name: /Force off/ }).click()
  await expect(strata.row('lab1')).toContainText('Stopped')
})

test('without QEMU the app opens, says so with the command that installs it, and notices by itself when it is there', async ({ home, launch }) => {
  const strata = await launch({ env: { PATH: withoutQemu(home) } })
  await expect(strata.page.getByText('sudo apt-get install qemu-system-x86').first()).toBeVisible()
  await expect(strata.page.getByRole('button', { name: 'Create and start your first machine' })).toHaveAttribute('aria-disabled', 'true')
  symlinkSync('/usr/bin/qemu-system-x86_64', join(home.folder, 'bin', 'qemu-system-x86_64'))
  await expect(strata.page.getByText('sudo apt-get install qemu-system-x86')).toHaveCount(0)
})

test('the window has no way out but its bridge', async ({ launch }) => {
  const strata = await launch()
  const found = await strata.page.evaluate(async () => {
    const inline = await new Promise((resolve) => {
      document.addEventListener('securitypolicyviolation', (event) => resolve(event.violatedDirective), { once: true })
      const script = document.createElement('script')
      script.textContent = 'window.ran = true'
      document.head.append(script)
      setTimeout(() => resolve('nothing'), 2000)
    })
    const fetched = await fetch('https://example.invalid/').then(
      () => 'fetched',
      () => 'refused'
    )
    return { inline, fetched, require: typeof (window as { require?: unknown }).require, process: typeof (window as { process?: unknown }).process, opened: window.open('https://example.invalid/') }
  })
  expect(found).toMatchObject({ fetched: 'refused', require: 'undefined', process: 'undefined', opened: null })
  expect(String(found.inline)).toContain('script-src')
})

test('the palette finds commands and machines', async ({ launch }) => {
  const strata = await launch()
  await strata.createMachine('needle', EMPTY)
  await strata.page.keyboard.press('Control+K')
  await expect(strata.page.getByRole('combobox')).toBeFocused()
  await strata.page.keyboard.type('needle')
  await strata.page.keyboard.press('Enter')
  await expect(strata.page.getByRole('heading', { name: 'needle' })).toBeVisible()
})
