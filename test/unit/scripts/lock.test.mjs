import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { expect, it } from 'vitest'
import { withSetUpLock } from '../../../scripts/setup/lock.mjs'

it('a second set-up waits until the first is done, also when that is killed', async () => {
  const lock = path.resolve(import.meta.dirname, '../../../scripts/setup/lock.mjs')
  const program = `import { withSetUpLock } from ${JSON.stringify(lock)}
    await withSetUpLock({ line() {} }, () => new Promise(() => { console.log('mine'); setInterval(() => {}, 1000) }))`
  const first = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(first.stdout, 'data')

  const said = []
  let done = false
  const second = withSetUpLock({ line: (text) => said.push(text) }, async () => {
    done = true
  })
  await expect.poll(() => said, { timeout: 15_000 }).toEqual(['Waiting for another set-up of this checkout ...'])
  expect(done).toBe(false)
  first.kill('SIGKILL')
  await second
  expect(done).toBe(true)
})
