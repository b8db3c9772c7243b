import { existsSync } from 'node:fs'
import { fingerprint } from '../lib/files.mjs'
import { inTop } from '../lib/paths.mjs'
import { run, StepError } from '../lib/run.mjs'

const INPUTS = [
  'electron',
  'renderer',
  'resources/icons',
  'package-lock.json',
  'package.json',
  'scripts/config'
].map((name) => inTop(name))
const OUTPUTS = ['out/main/index.js', 'out/main/strata.js', 'out/preload/index.cjs', 'out/renderer/index.html'].map((name) => inTop(name))

/** The app itself, from TypeScript to out/main, out/preload and out/renderer. */
export const build = {
  name: 'Strata',

  isDone: (stamp) => Boolean(stamp) && OUTPUTS.every((file) => existsSync(file)) && stamp.sources === fingerprint(INPUTS),

  async install() {
    // Taken before: what is written meanwhile is built the next time.
    const sources = fingerprint(INPUTS)
    const tool = inTop('node_modules/electron-vite/bin/electron-vite.js')
    const args = ['build', '--config', inTop('scripts/config/electron.vite.config.ts'), '--logLevel', 'warn']
    await run(process.execPath, [tool, ...args], {
      cwd: inTop(),
      env: { ...process.env, NO_COLOR: '1' },
      next: 'Mend the source, then run the same command again.'
    })
    const missing = OUTPUTS.filter((file) => !existsSync(file))
    if (missing.length > 0) throw new StepError(`The build made no ${missing.map((file) => file.slice(inTop().length + 1)).join(', ')}.`)
    return { sources }
  }
}
