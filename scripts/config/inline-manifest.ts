import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'

const cli = resolve(import.meta.dirname, '../../electron/cli')
const PRINT = `process.stdout.write(JSON.stringify(require(${JSON.stringify(resolve(cli, 'derive.ts'))}).deriveManifest()))`

/**
 * Puts the finished commands in the place of electron/cli/manifest.ts, which derives them from the contract: `strata` then starts
 * without the schema library, in half the time.
 */
export const inlineManifest = {
  name: 'strata-manifest',
  async load(id: string): Promise<string | null> {
    if (id.split('?')[0] !== resolve(cli, 'manifest.ts')) return null
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--eval', PRINT], { cwd: resolve(cli, '../..'), maxBuffer: 2 ** 24 })
    return `export const manifest = ${stdout}`
  }
}
