import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { expect, test } from '../support/e2e'
import { Strata, TOP } from '../support/e2e-app'

/**
 * A picture of every screen, light and dark, in test/e2e/shots/: for people to look at. What is asserted is that the screens can be
 * reached, and that none of them makes a mistake on the way.
 */
const FOLDER = join(TOP, 'test/e2e/shots')

test.beforeAll(() => {
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER, { recursive: true })
})

async function shoot(strata: Strata, name: string): Promise<void> {
  for (const theme of ['light', 'dark'] as const) {
    await strata.need('settings.edit', { theme })
    await expect(strata.page.locator(`html[data-theme=${theme}]`)).toHaveCount(1)
    await strata.page.screenshot({ path: join(FOLDER, `${name}-${theme}.png`) })
  }
}

const command = async (page: Page, title: string): Promise<void> => {
  await page.keyboard.press('Control+K')
  await expect(page.getByRole('dialog')).toBeVisible()
  await page.keyboard.type(title)
  await page.keyboard.press('Enter')
}
const closeDialog = async (page: Page): Promise<void> => {
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)
}

/** The disks of a machine that runs, with a history, and the dialogs that change them. */
async function shootDisks(strata: Strata, machine: string): Promise<void> {
  const { page } = strata
  for (const [name, mebibytes] of [['packages', 24], ['a course', 6], ['a mistake', 2]] as const) {
    await strata.guest(machine, 'sh', '-c', `dd if=/dev/urandom of="/root/${name}" bs=1M count=${mebibytes}; sync`)
    await strata.done('overlay.renew', { machine, disk: 'disk0', note: name })
  }
  await strata.open(machine, 'Disks')
  await page.getByRole('button', { name: 'Where the data lies' }).click()
  await expect(page.getByRole('img', { name: /^The guest reads/ })).toBeVisible()
  await shoot(strata, '25-disks')
  await page.getByRole('button', { name: 'X-ray' }).click()
  await strata.guest(machine, 'sh', '-c', 'dd if=/dev/urandom of=/root/more bs=1M count=3; sync; cat /root/packages > /dev/null')
  await expect(page.getByRole('region', { name: 'X-ray' })).toContainText('opens in all')
  await shoot(strata, '25-disks-x-ray')
  await page.getByRole('button', { name: 'X-ray' }).click()
  const buttons = ['Renew…', 'Commit…', 'Undo…']
  for (const [index, name] of buttons.entries()) {
    await page.getByRole('button', { name }).click()
    await expect(page.getByRole('dialog').getByText('Afterwards', { exact: true })).toBeVisible()
    await shoot(strata, `${26 + index}-disks-${name.slice(0, -1).toLowerCase()}`)
    await closeDialog(page)
  }
  const entries = ['Merge layers…', 'Flatten…', 'Put an overlay on it…', 'Discard what was written…', 'Resize…', 'Remove for good…']
  for (const [index, name] of entries.entries()) {
    await page.getByRole('button', { name: 'More that can be done to the disk' }).click()
    await expect(page.getByRole('menu')).toBeVisible()
    if (index === 0) await shoot(strata, '29-disks-menu')
    await page.getByRole('menuitem', { name }).click()
    await expect(page.getByRole('dialog')).toBeVisible()
    await shoot(strata, `${30 + index}-disks-${name.split(' ')[0]!.replace('…', '').toLowerCase()}`)
    await closeDialog(page)
  }
}

/** The snapshots of a machine that runs: none yet, a tree, and the dialogs. */
async function shootSnapshots(strata: Strata, machine: string): Promise<void> {
  const { page } = strata
  await strata.open(machine, 'Snapshots')
  await expect(page.getByText(`${machine} has no snapshots`)).toBeVisible()
  await shoot(strata, '50-no-snapshots')
  const taken = await strata.done('snapshot.take', { machine, name: 'Fresh', note: 'As installed' })
  await strata.done('snapshot.take', { machine, name: 'Packages' })
  await strata.done('snapshot.restore', { snapshot: taken.id, keep: false })
  await strata.done('snapshot.take', { machine, name: 'Ready for the class', note: 'Compiler and editor' })
  await expect(page.getByRole('option', { name: /Ready for the class/ })).toBeVisible()
  await shoot(strata, '51-snapshots')
  for (const [index, name] of ['Take a snapshot…', 'Restore…', 'As a new machine…', 'Fork…', 'Remove…'].entries()) {
    await page.getByRole('button', { name }).click()
    await expect(page.getByRole('dialog')).toBeVisible()
    await shoot(strata, `${52 + index}-snapshots-dialog`)
    await closeDialog(page)
  }
}

/** Class labs: none yet, the dialog, and the wall of one. */
async function shootLabs(strata: Strata): Promise<void> {
  const { page } = strata
  const place = page.getByRole('button', { name: /^Class labs/ })
  await place.click()
  await expect(page.getByText('No class labs yet')).toBeVisible()
  await shoot(strata, '58-no-labs')
  await page.getByRole('button', { name: 'New class lab…' }).first().click()
  await expect(page.getByRole('dialog')).toContainText('Made from')
  await shoot(strata, '59-lab-dialog')
  await closeDialog(page)
  await strata.done('lab.deploy', { from: 'Ready for the class', count: 4, prefix: 'ws' })
  await expect(page.getByRole('img', { name: 'The screen of ws-4' })).toBeVisible()
  await shoot(strata, '60-lab')
  await page.getByRole('button', { name: 'Make ws-2 anew' }).click()
  await expect(page.getByRole('dialog')).toContainText('What was done in it is lost')
  await shoot(strata, '61-lab-recreate')
  await closeDialog(page)
  await strata.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.setSize(880, 560))
  await shoot(strata, '62-lab-small-window')
  await strata.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.setSize(1280, 800))
  await strata.done('lab.remove', { lab: 'ws' })
  await strata.need('machine.empty-trash', {})
}

/** The ring lab: off, with clients at work, and compared. */
async function shootRing(strata: Strata): Promise<void> {
  const { page } = strata
  await page.getByRole('button', { name: 'Ring lab' }).click()
  await expect(page.getByRole('button', { name: 'Start the service' })).toBeVisible()
  await shoot(strata, '40-ring-off')
  await page.getByRole('button', { name: 'Start the service' }).click()
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await expect(page.getByRole('img', { name: /^Ring of client/ }).first()).toBeVisible()
  await shoot(strata, '41-ring')
  await expect(page.getByText('each was compared with the image')).toBeVisible({ timeout: 60_000 })
  await strata.done('ring.compare', { seconds: 0.5 })
  await page.getByRole('heading', { name: 'How it works' }).scrollIntoViewIfNeeded()
  await shoot(strata, '42-ring-compared')
  await strata.need('ring.stop', {})
}

test('an empty library', async ({ launch }) => {
  const strata = await launch()
  await expect(strata.page.getByRole('heading', { name: 'Welcome to Strata' })).toBeVisible()
  await shoot(strata, '01-welcome')
})

test('every screen of a library with machines', async ({ lab: { strata, machine } }) => {
  const { page } = strata
  const made = ['web', 'database with a name that is rather long', 'a', 'Prüfstand 7']
  for (const [index, name] of made.entries()) await strata.createMachine(name, { source: 'none', disk: index === 1 ? '20G' : '0', tag: index % 2 ? ['course', 'week 3'] : [] })

  await strata.open(machine, 'Overview')
  await expect(page.getByRole('heading', { name: machine })).toBeVisible()
  await expect(page.getByRole('heading', { name: 'Tags and notes' })).toBeVisible()
  await shoot(strata, '02-overview')
  await strata.open(machine, 'Console')
  await strata.typeLine('console', 'clear; ls --color /; uname -a')
  await expect(strata.terminal('console')).toContainText('GNU/Linux')
  await shoot(strata, '03-console')
  await page.keyboard.press('Control+Shift+F')
  await page.keyboard.type('root')
  await shoot(strata, '04-console-search')
  await page.keyboard.press('Escape')
  await strata.open(machine, 'Display')
  await expect(page.getByTestId('display')).toHaveAttribute('data-connection', 'live')
  await shoot(strata, '05-display')
  await strata.open(machine, 'Monitor')
  await page.getByRole('radio', { name: 'HMP' }).check({ force: true })
  await strata.typeLine('monitor', 'info block')
  await expect(strata.terminal('monitor')).toContainText('disk0')
  await page.keyboard.type('info s')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await shoot(strata, '06-monitor')
  await page.keyboard.press('Control+C')
  await page.getByRole('radio', { name: 'QMP' }).check({ force: true })
  await page.getByLabel('QMP command').fill('query-block')
  await page.keyboard.press('Enter')
  await page.getByRole('option').filter({ hasText: 'return' }).last().getByText('query-block').click()
  await shoot(strata, '07-qmp')
  await page.getByRole('radio', { name: 'HMP' }).check({ force: true })
  await strata.open(machine, 'Settings')
  await shoot(strata, '08-machine-settings')
  await shootDisks(strata, machine)
  await shootSnapshots(strata, machine)
  await shootLabs(strata)
  await shootRing(strata)

  for (const [index, tab] of (['Overview', 'Console', 'Display', 'Monitor'] as const).entries()) {
    await strata.open('database', tab)
    await shoot(strata, `${String(9 + index).padStart(2, '0')}-off-${tab.toLowerCase()}`)
  }
  await strata.row('web').click()
  await strata.row('database').click({ modifiers: ['Shift'] })
  await strata.row('web').click({ button: 'right' })
  await expect(page.getByRole('menu')).toBeVisible()
  await shoot(strata, '13-selection-menu')
  await page.keyboard.press('Escape')

  await page.getByRole('navigation').getByRole('button', { name: 'Disks' }).click()
  await expect(page.getByRole('button', { name: /^database.*disk0/ })).toBeVisible()
  await shoot(strata, '36-all-disks')
  await page.getByRole('radio', { name: 'Table' }).check({ force: true })
  await shoot(strata, '37-all-disks-table')
  await page.getByRole('radio', { name: 'Drawing' }).check({ force: true })
  for (const [index, title] of ['Images', 'Tasks', 'Settings and trash'].entries()) {
    await page.getByRole('navigation').getByRole('button', { name: title }).first().click()
    await shoot(strata, `${14 + index}-${title.split(' ')[0]!.toLowerCase()}`)
  }
  await page.getByRole('navigation').getByRole('button', { name: 'Store' }).click()
  await expect(page.getByText('Nothing is archived yet')).toBeVisible()
  await shoot(strata, '39-store')
  await page.keyboard.press('Control+K')
  await expect(page.getByRole('dialog')).toBeVisible()
  await page.keyboard.type('re')
  await shoot(strata, '17-palette')
  await closeDialog(page)
  await command(page, 'keyboard shortcuts')
  await expect(page.getByRole('dialog')).toContainText('Keyboard shortcuts')
  await shoot(strata, '18-shortcuts')
  await closeDialog(page)
  await page.keyboard.press('Control+N')
  const wizard = page.getByRole('dialog', { name: 'New machine' })
  for (const [index, step] of ['source', 'hardware', 'disk', 'network', 'summary'].entries()) {
    await shoot(strata, `${19 + index}-wizard-${step}`)
    if (step !== 'summary') await wizard.getByRole('button', { name: 'Next' }).click()
  }
  await closeDialog(page)

  await strata.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.setSize(880, 560))
  await strata.open(machine, 'Overview')
  await shoot(strata, '24-small-window')
  await strata.open(machine, 'Disks')
  await shoot(strata, '38-small-window-disks')
  await strata.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.setSize(1280, 800))
  for (const name of made) await strata.need('machine.remove', { machine: name })
  await strata.need('settings.edit', { theme: 'system' })
  expect(strata.mistakes).toEqual([])
})
