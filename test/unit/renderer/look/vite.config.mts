import { resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** `npx vite --config test/unit/renderer/look/vite.config.mts` shows the window over the test double in any browser. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  server: { port: 5199, fs: { allow: [resolve(import.meta.dirname, '../../../..')] } },
  build: { target: 'chrome130', outDir: process.env.LOOK_OUT ?? 'dist', emptyOutDir: true }
})
