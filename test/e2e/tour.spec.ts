import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '../support/e2e'
import { ELECTRON, strata as commandLine, TOP } from '../support/e2e-app'

test('the guided tour plays to its end by itself and leaves labelled pictures', async ({ home }) => {
  const shots = join(home.folder, 'shots')
  const args = [TOP, `--user-data-dir=${join(home.folder, 'profile')}`, '--disable-gpu', '--tour-shots', shots, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])]
  const app = spawn(ELECTRON, args, { env: home.env, stdio: 'ignore' })
  const exitCode = await new Promise((resolve) => app.once('exit', resolve))
  expect(exitCode).toBe(0)
  const labels = readdirSync(shots)
  for (const label of ['console', 'display', 'shares', 'monitor']) {
    expect(labels.filter((name) => name.includes(label)), label).not.toEqual([])
  }
  expect(labels.every((name) => /^\d\d-[a-z0-9-]+-(light|dark)\.png$/.test(name))).toBe(true)
  // Its machines are gone.
  expect(JSON.parse(await commandLine(home, 'machine', 'list', '--json'))).toEqual([])
})
