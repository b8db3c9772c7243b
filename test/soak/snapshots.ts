/**
 * npm run soak -- snapshots [SEQUENCES] [SEED]: random sequences of write, snapshot, restore, fork, remove, archive and clean-up on real
 * machines; 200 by default. Nothing that was written may be lost. The test `snapshot-sequences` runs one of them.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const top = join(import.meta.dirname, '../..')
const sequences = process.argv[2] ?? '200'
const seed = process.argv[3] ?? String(Date.now() % 1_000_000)
const args = [join(top, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'scripts/config/vitest.config.ts', '--project', 'integration', '--retry', '0', 'snapshot-sequences']
const { status } = spawnSync(process.execPath, args, { cwd: top, stdio: ['ignore', 2, 2], env: { ...process.env, STRATA_SEQUENCES: sequences, STRATA_SEED: seed } })
process.stdout.write(JSON.stringify({ soak: 'snapshots', sequences: Number(sequences), seed: Number(seed), passed: status === 0 }) + '\n')
process.exitCode = status ?? 1
