import { resolve } from 'node:path'
import { defineConfig } from '@playwright/test'

const top = resolve(import.meta.dirname, '../..')

export default defineConfig({
  testDir: resolve(top, 'test/e2e'),
  // What takes a minute each is run when it is asked for by name: pictures of every screen, and the tour, which `npm start` plays without a display.
  testIgnore: ['shots', 'tour'].filter((name) => !process.argv.some((argument) => argument.includes(name))).map((name) => `**/${name}.spec.ts`),
  outputDir: resolve(top, 'test-results'),
  timeout: 120_000,
  expect: { timeout: 20_000 },
  // Emulated machines on a busy computer: a second attempt is allowed, and is named in the report.
  retries: 1,
  workers: 1,
  fullyParallel: false,
  forbidOnly: Boolean(process.env.CI),
  reporter: [['list']],
  use: { trace: 'retain-on-failure', screenshot: 'only-on-failure' }
})
