/**
 * npm run soak -- cluster [WRITES]: three machines write at random places of one cluster file system, 100,000 times by default; what each wrote another
 * reads back, and the file system is checked at the end.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const top = join(import.meta.dirname, '../..')
const writes = Number(process.argv[2] ?? '100000')
const args = [join(top, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'scripts/config/vitest.config.ts', '--project', 'integration', '--retry', '0']
const chosen = ['shares-cluster', '-t', 'three guests write at random places']
const { status } = spawnSync(process.execPath, [...args, ...chosen], { cwd: top, stdio: ['ignore', 2, 2], env: { ...process.env, STRATA_CLUSTER_WRITES: String(writes) } })
process.stdout.write(JSON.stringify({ soak: 'cluster', writes, passed: status === 0 }) + '\n')
process.exitCode = status ?? 1
