import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from '../support/e2e'
import { ELECTRON, strata as commandLine, TOP } from '../support/e2e-app'

/** It takes a minute. */
const LONGEST_MS = 200_000

test('the guided tour plays to its end by itself and leaves labelled pictures', async ({ home }) => {
  test.setTimeout(LONGEST_MS + 40_000)
  const shots = join(home.folder, 'shots')
  const args = [TOP, `--user-data-dir=${join(home.folder, 'profile')}`, '--disable-gpu', '--tour-shots', shots, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])]
  const app = spawn(ELECTRON, args, { env: home.env, stdio: 'ignore' })
  const ended = new Promise((resolve) => app.once('exit', (code) => resolve(`exit code ${code}`)))
  const late = delay(LONGEST_MS).then(() => (app.kill('SIGKILL'), `not ended: ${readdirSync(shots).sort().at(-1)} was the last picture`))
  expect(await Promise.race([ended, late])).toBe('exit code 0')
  const labels = readdirSync(shots)
  for (const label of ['console', 'display', 'shares', 'monitor']) {
    expect(labels.filter((name) => name.includes(label)), label).not.toEqual([])
  }
  expect(labels.every((name) => /^\d\d-[a-z0-9-]+-(light|dark)\.png$/.test(name))).toBe(true)
  // Its machines are gone.
  expect(JSON.parse(await commandLine(home, 'machine', 'list', '--json'))).toEqual([])
})
