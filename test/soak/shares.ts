/**
 * npm run soak -- shares [ROUNDS]: kills and annoys the exporter of a shared disk over and over while a client writes, and looks each time whether all
 * that was acknowledged is there. The test `share-faults` does one round.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const top = join(import.meta.dirname, '../..')
const rounds = process.argv[2] ?? '50'
const args = [join(top, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'scripts/config/vitest.config.ts', '--project', 'integration', '--testTimeout', '36000000', 'share-faults']
const { status } = spawnSync(process.execPath, args, { cwd: top, stdio: ['ignore', 2, 2], env: { ...process.env, STRATA_SHARE_ROUNDS: rounds } })
process.stdout.write(JSON.stringify({ soak: 'shares', rounds: Number(rounds), passed: status === 0 }) + '\n')
process.exitCode = status ?? 1
