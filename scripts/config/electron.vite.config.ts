import { chmodSync, existsSync } from 'node:fs'
import { resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'
import { inlineManifest } from './inline-manifest'

const top = resolve(import.meta.dirname, '../..')
const inTop = (path: string) => resolve(top, path)
/** Left out while somebody has yet to write it, so that the others can build. */
const present = (inputs: Record<string, string>) => Object.fromEntries(Object.entries(inputs).filter(([, path]) => existsSync(path)))

/** `strata` is started as a program of its own. */
const makeCommandLineExecutable = {
  name: 'strata-executable',
  writeBundle({ dir }: { dir?: string }) {
    const file = resolve(dir ?? '', 'strata.js')
    if (existsSync(file)) chmodSync(file, 0o755)
  }
}

export default defineConfig({
  main: {
    plugins: [inlineManifest, makeCommandLineExecutable],
    build: {
      outDir: inTop('out/main'),
      // Everything but Electron and native code goes into the bundle: one file to read makes a quick start.
      externalizeDeps: { exclude: ['zod'] },
      rollupOptions: {
        input: present({
          index: inTop('electron/main/index.ts'),
          strata: inTop('electron/cli/strata.ts'),
          ptyhost: inTop('electron/main/ptyhost.ts')
        }),
        external: ['node-pty'],
        output: { format: 'cjs', entryFileNames: '[name].js', banner: (chunk) => (chunk.name === 'strata' ? '#!/usr/bin/env node' : '') }
      }
    }
  },
  preload: {
    build: {
      outDir: inTop('out/preload'),
      // A sandboxed preload script can load nothing: it has to be one file.
      externalizeDeps: false,
      rollupOptions: { input: { index: inTop('electron/preload/index.ts') }, output: { format: 'cjs', entryFileNames: '[name].cjs' } }
    }
  },
  renderer: {
    root: inTop('renderer/app'),
    plugins: [react()],
    build: {
      outDir: inTop('out/renderer'),
      target: 'chrome130',
      minify: true,
      rollupOptions: {
        input: inTop('renderer/app/index.html'),
        // What the window starts with is one file: each further one is a request that the main process answers while it starts.
        output: { codeSplitting: { groups: [{ name: 'start', tags: ['$initial'] }] } }
      }
    }
  }
})
