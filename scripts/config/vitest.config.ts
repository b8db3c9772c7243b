import { resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const top = resolve(import.meta.dirname, '../..')

/** `--project unit`: quick, no QEMU needed. `--project window`: the window's parts in jsdom. `--project integration`: real QEMU. */
export default defineConfig({
  root: top,
  test: {
    root: top,
    restoreMocks: true,
    projects: [
      {
        root: top,
        test: { name: 'unit', environment: 'node', include: ['test/unit/**/*.test.{ts,mjs}'], exclude: ['test/unit/renderer/**'] }
      },
      {
        root: top,
        plugins: [react()],
        test: { name: 'window', environment: 'jsdom', include: ['test/unit/renderer/**/*.test.{ts,tsx}'] }
      },
      {
        root: top,
        test: {
          name: 'integration',
          environment: 'node',
          include: ['test/integration/**/*.test.ts'],
          // Emulated machines take all the processor they can get: one file at a time.
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000
        }
      }
    ]
  }
})
