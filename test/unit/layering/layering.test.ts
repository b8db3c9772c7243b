import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const top = resolve(import.meta.dirname, '../../..')
const configFile = resolve(top, 'scripts/config/dependency-cruiser.cjs')
const config = createRequire(import.meta.url)(configFile) as { forbidden: { name: string }[] }

interface Violation {
  from: string
  to: string
  rule: { name: string }
}

/** Runs the tool as `npm run check` does, in the fixture. */
function cruise(outputType: 'json' | 'err') {
  const tool = resolve(top, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
  const args = [tool, '--config', configFile, '--output-type', outputType, 'electron', 'renderer']
  return spawnSync(process.execPath, args, { cwd: resolve(top, 'test/support/layering'), encoding: 'utf8' })
}

describe('the dependency rule', () => {
  const { violations } = (JSON.parse(cruise('json').stdout) as { summary: { violations: Violation[] } }).summary
  const of = (rule: string) => violations.filter((violation) => violation.rule.name === rule).map(({ from, to }) => `${from} -> ${to}`)

  it.each([
    ['contract-alone', 'electron/contract/index.ts -> electron/core/machine/memory.ts'],
    ['core-below-shells', 'electron/core/host/files.ts -> electron/main/index.ts'],
    ['system-through-host', 'electron/core/machine/memory.ts -> fs'],
    ['main-no-cli', 'electron/main/index.ts -> electron/cli/strata.ts'],
    ['server-no-shell', 'electron/server/index.ts -> electron/cli/strata.ts'],
    ['cli-no-window', 'electron/cli/strata.ts -> electron'],
    ['preload-contract-only', 'electron/preload/index.ts -> electron/core/host/files.ts'],
    ['resolvable', 'electron/preload/unresolved.mjs -> ./not-there.mjs'],
    ['renderer-contract-only', 'renderer/app/main.ts -> electron/core/disk/page.ts'],
    ['renderer-no-node', 'renderer/features/disks/table.ts -> path'],
    ['feature-through-index', 'renderer/features/machines/index.ts -> renderer/features/disks/table.ts'],
    ['feature-below-app', 'renderer/features/machines/index.ts -> renderer/app/main.ts'],
    ['ui-alone', 'renderer/ui/index.ts -> renderer/features/disks/index.ts'],
    ['product-without-tests', 'renderer/features/machines/fake.ts -> test/answer.ts']
  ])('finds a breach of %s, and only that', (rule, breach) => {
    expect(of(rule)).toEqual([breach])
  })

  it('finds a cycle inside the core', () => {
    expect(of('core-no-cycles')).toEqual(['electron/core/disk/page.ts -> electron/core/machine/memory.ts'])
  })

  it('has a breach of every rule in the fixture', () => {
    expect([...new Set(violations.map((violation) => violation.rule.name))].sort()).toEqual(
      config.forbidden.map((rule) => rule.name).sort()
    )
  })

  it('makes the tool fail', () => {
    const run = cruise('err')
    expect(run.status).not.toBe(0)
    expect(run.stdout + run.stderr).toContain('feature-through-index')
  })
})
