import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '../support/e2e'

test('the first run is one button: a machine is created, boots, and its console is there', async ({ launch }) => {
  const strata = await launch()
  await expect(strata.page.getByRole('heading', { name: 'Welcome to Strata' })).toBeVisible()
  await strata.page.getByRole('button', { name: 'Create and start your first machine' }).click()
  await expect(strata.terminal('console')).toContainText('root@', { timeout: 60_000 })
  await expect(strata.page.getByRole('listbox', { name: 'Machines' }).getByRole('option')).toContainText('Running')
})

test('all of it works without a pointer', async ({ launch }) => {
  const strata = await launch()
  const { page } = strata
  const { keyboard } = page
  // The one button of a first run has the focus; here another machine is wanted.
  await expect(page.getByRole('button', { name: 'Create and start your first machine' })).toBeFocused()
  await keyboard.press('Control+N')
  await expect(page.getByRole('dialog', { name: 'New machine' })).toBeVisible()
  await keyboard.press('Control+A')
  await keyboard.type('by-keys')
  await keyboard.press('Control+Enter')
  await expect(strata.terminal('console')).toContainText('root@by-keys', { timeout: 60_000 })
  // The console has the keyboard; Ctrl and Alt together give it back.
  await keyboard.press('Control+Alt')
  await keyboard.press('Control+1')
  await expect(page.getByRole('tab', { name: 'Overview' })).toHaveAttribute('aria-selected', 'true')
  await keyboard.press('Control+2')
  await expect(strata.terminal('console')).toContainText('root@by-keys')
  await keyboard.press('Control+K')
  await expect(page.getByRole('dialog')).toBeVisible()
  await keyboard.type('pause')
  await keyboard.press('Enter')
  await expect(strata.row('by-keys')).toContainText('Paused')
  await keyboard.press('Control+P')
  await expect(strata.row('by-keys')).toContainText('Running')
  await keyboard.press('Control+Shift+Enter')
  await expect(strata.row('by-keys')).toContainText(/Stopped|Off/, { timeout: 30_000 })
  await keyboard.press('Control+Delete')
  await expect(strata.row('by-keys')).toHaveCount(0)
  await keyboard.press('Control+Z')
  await expect(strata.row('by-keys')).toHaveCount(1)
})

test('without QEMU the app opens, says so with the command that installs it, and notices when it is there', async ({ home, launch }) => {
  const programs = join(home.folder, 'programs')
  mkdirSync(programs)
  // Everything that this system has, except QEMU.
  for (const name of ['flock', 'ip', 'sh', 'bash', 'cp', 'uname']) linkProgram(programs, name)
  const { page } = await launch({ env: { PATH: programs } })
  const banner = page.getByRole('alert').or(page.getByRole('status')).filter({ hasText: 'apt-get install qemu-system-x86' })
  await expect(banner.first()).toBeVisible()
  for (const name of ['qemu-system-x86_64', 'qemu-img', 'qemu-storage-daemon']) linkProgram(programs, name)
  await expect(banner).toHaveCount(0, { timeout: 15_000 })
})

function linkProgram(folder: string, name: string): void {
  for (const place of ['/usr/bin', '/bin', '/usr/sbin']) {
    try {
      symlinkSync(join(place, name), join(folder, name))
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
    }
  }
}
