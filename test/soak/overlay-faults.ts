/**
 * npm run soak -- overlay-faults [STRIDE]: kills the app, or the app and QEMU, at every step of every operation that changes what stands on
 * what, and looks at what is left. The test of the same name takes every 40th step of most.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const top = join(import.meta.dirname, '../..')
const args = [join(top, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'scripts/config/vitest.config.ts', '--project', 'integration', '--testTimeout', '3600000', 'overlay-faults']
const { status } = spawnSync(process.execPath, args, { cwd: top, stdio: ['ignore', 2, 2], env: { ...process.env, STRATA_FAULT_STRIDE: process.argv[2] ?? '1' } })
process.stdout.write(JSON.stringify({ soak: 'overlay-faults', passed: status === 0 }) + '\n')
process.exitCode = status ?? 1
