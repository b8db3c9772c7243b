import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const top = resolve(import.meta.dirname, '../..')
/** Long enough for a busy machine: a test that waits for an event takes as long as the event, one that hangs ends here. */
const patient = { testTimeout: 30_000, hookTimeout: 30_000 }

/** `--project unit`: quick, no QEMU needed. `--project window`: the window's parts in jsdom. `--project integration`: real QEMU. */
export default defineConfig({
  root: top,
  test: {
    root: top,
    restoreMocks: true,
    // A worker waits for modules half of its time: on two processors two are worth it.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        root: top,
        test: { name: 'unit', environment: 'node', ...patient, include: ['test/unit/**/*.test.{ts,mjs}'], exclude: ['test/unit/renderer/**'] }
      },
      {
        root: top,
        plugins: [react()],
        // One jsdom a worker, not one a file: a test of the whole window loads its modules anew anyway (open-window.ts).
        test: { name: 'window', environment: 'jsdom', isolate: false, ...patient, include: ['test/unit/renderer/**/*.test.{ts,tsx}'] }
      },
      {
        root: top,
        test: {
          name: 'integration',
          environment: 'node',
          include: ['test/integration/**/*.test.ts'],
          // A busy computer may make one late: a second attempt is allowed, and marked in the report.
          retry: 1,
          testTimeout: 120_000,
          hookTimeout: 120_000
        }
      }
    ]
  }
})
