import { resolve } from 'node:path'
import { defineConfig } from '@playwright/test'

const top = resolve(import.meta.dirname, '../..')

export default defineConfig({
  testDir: resolve(top, 'test/e2e'),
  // Pictures of every screen are made when they are asked for by name.
  testIgnore: process.argv.some((argument) => argument.includes('shots')) ? [] : ['**/shots.spec.ts'],
  outputDir: resolve(top, 'test-results'),
  timeout: 120_000,
  expect: { timeout: 20_000 },
  // Emulated machines on a busy computer: a second attempt is allowed, and is named in the report.
  retries: 1,
  // Each test has an app and a library of its own. A guest that boots waits as much as it works.
  workers: 2,
  fullyParallel: false,
  forbidOnly: Boolean(process.env.CI),
  reporter: [['list']],
  use: { trace: 'retain-on-failure', screenshot: 'only-on-failure' }
})
