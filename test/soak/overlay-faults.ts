/**
 * npm run soak -- overlay-faults [STRIDE [FIRST [NAME]]]: kills the app, or the app and QEMU, at every step of every operation that changes what
 * stands on what, and looks at what is left. The test of the same name takes every 40th step of most. In pieces: every STRIDE-th step from
 * the FIRST one on, of the operations that NAME (a regular expression) is in the name of. Nothing is tried twice: what fails once, fails.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const top = join(import.meta.dirname, '../..')
const [stride = '1', first, name] = process.argv.slice(2)
const which = ['--project', 'integration', 'overlay-faults', ...(name === undefined ? [] : ['-t', name])]
const args = [join(top, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'scripts/config/vitest.config.ts', '--retry', '0', '--disable-console-intercept', ...which]
const env = { ...process.env, STRATA_FAULT_STRIDE: stride, ...(first === undefined ? {} : { STRATA_FAULT_FIRST: first }) }
const { status } = spawnSync(process.execPath, args, { cwd: top, stdio: ['ignore', 2, 2], env })
process.stdout.write(JSON.stringify({ soak: 'overlay-faults', passed: status === 0 }) + '\n')
process.exitCode = status ?? 1
