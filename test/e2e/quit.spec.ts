import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '../support/e2e'
import { CANCEL_TASKS, KEEP_OPEN, WAIT_FOR_TASKS, type Strata } from '../support/e2e-app'

/** A task that runs until it is cancelled: a guest without an agent is waited for. */
async function beginLongTask(strata: Strata): Promise<void> {
  await strata.createMachine('slow', { source: 'none', disk: '0', memory: '64M' })
  await strata.need('machine.start', { machine: 'slow', wait: 'agent', timeoutSeconds: 600 })
  await expect(strata.row('slow')).toContainText(/Running|Starting/)
}
const closeWindow = (strata: Strata): Promise<void> => strata.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.close())

test('quitting asks about tasks that run; staying changes nothing, cancelling undoes them', async ({ launch }) => {
  const strata = await launch()
  await beginLongTask(strata)
  await strata.answerQuestions(KEEP_OPEN)
  await closeWindow(strata)
  await expect.poll(() => strata.askedQuestions()).toEqual([expect.stringContaining('A task is still running.')])
  expect((await strata.askedQuestions())[0]).toContain('Start slow')
  expect((await strata.need('task.list', {})).map(({ state }) => state.kind)).toContain('running')

  await strata.answerQuestions(CANCEL_TASKS)
  const gone = strata.gone()
  await closeWindow(strata).catch(() => undefined)
  expect(await gone).toBe(0)
  expect(strata.log()).toContain('closed')
})

test('quitting can wait for tasks to end', async ({ launch }) => {
  const strata = await launch()
  await beginLongTask(strata)
  await strata.answerQuestions(WAIT_FOR_TASKS)
  await closeWindow(strata)
  await expect.poll(() => strata.askedQuestions()).toHaveLength(1)
  expect(strata.app.process().exitCode).toBeNull()
  const gone = strata.gone()
  const [task] = (await strata.need('task.list', {})).filter(({ state }) => state.kind === 'running')
  await strata.call('task.cancel', { taskId: task!.id }).catch(() => undefined)
  expect(await gone).toBe(0)
})

test('a termination signal is an orderly quit', async ({ launch }) => {
  const strata = await launch()
  const gone = strata.gone()
  process.kill(strata.pid, 'SIGTERM')
  expect(await gone).toBe(0)
  expect(strata.log()).toContain('SIGTERM: closing')
  expect(strata.log()).toMatch(/closed\n$/)
})

test('the window comes back where and as large as it was', async ({ launch }) => {
  const first = await launch()
  await first.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.setBounds({ x: 60, y: 40, width: 1000, height: 700 }))
  await first.page.waitForFunction(() => innerWidth === 1000)
  await first.quit()
  const second = await launch()
  expect(await second.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.getNormalBounds())).toMatchObject({ width: 1000, height: 700 })
})

test('a page that crashes is offered again, and machines do not notice', async ({ launch }) => {
  const strata = await launch()
  await strata.createMachine('calm', { source: 'none', disk: '0', memory: '64M' })
  await strata.startMachine('calm', 'running')
  await strata.answerQuestions(0)
  const loaded = strata.page.waitForEvent('crash').catch(() => undefined)
  await strata.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.webContents.forcefullyCrashRenderer())
  await loaded
  await expect.poll(() => strata.askedQuestions()).toEqual([expect.stringContaining('The window stopped working.')])
  await expect
    .poll(() => strata.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.webContents.executeJavaScript(`document.querySelector('[role=listbox]')?.textContent ?? ''`) as Promise<string>))
    .toContain('calm')
})

test('a library that cannot be opened is told, and opened when it can be', async ({ home, launch }) => {
  mkdirSync(home.library)
  writeFileSync(join(home.library, 'machines'), 'a file where a folder has to be')
  const { page } = await launch()
  await expect(page.getByRole('alert').first()).toContainText(/machines/)
  rmSync(join(home.library, 'machines'))
  await page.getByRole('button', { name: 'Try again' }).click()
  await expect(page.getByRole('alert')).toHaveCount(0)
  await expect(page.getByText('There are no machines yet.')).toBeVisible()
})
