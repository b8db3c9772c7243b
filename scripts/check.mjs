#!/usr/bin/env node
// npm run check: types, lint at zero warnings, and the dependency rule, side by side.
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { inTop } from './lib/paths.mjs'
import { ended, endWithUs, exitOnSignals, StepError } from './lib/run.mjs'

const CACHE = 'node_modules/.cache/strata'
const CHECKS = [
  {
    name: 'types',
    tool: 'typescript/bin/tsc',
    args: ['-p', '.', '--noEmit', '--pretty', 'false', '--incremental', '--tsBuildInfoFile', `${CACHE}/check.tsbuildinfo`]
  },
  {
    name: 'lint',
    tool: 'eslint/bin/eslint.js',
    args: ['--config', 'scripts/config/eslint.config.mjs', '--max-warnings', '0', 'electron', 'renderer', 'test', 'scripts'],
    // It looks at changed files only, and so misses what a changed type means to the others: for the quick run.
    quickArgs: ['--cache', '--cache-strategy', 'content', '--cache-location', `${CACHE}/eslint`]
  },
  {
    name: 'dependency rule',
    tool: 'dependency-cruiser/bin/dependency-cruise.mjs',
    args: ['--config', 'scripts/config/dependency-cruiser.cjs', '--output-type', 'err-long', 'electron', 'renderer']
  }
]

/**
 * Runs the checks. Prints a line for each, and what the failed ones said.
 * @param {{ fresh?: boolean }} [options] `fresh`: everything is looked at again
 * @returns {Promise<{ passed: number, failed: number, failures: string[] }>} `failures`: the checks that failed, by name
 */
export async function check({ fresh = false } = {}) {
  mkdirSync(inTop(CACHE), { recursive: true })
  const results = await Promise.all(CHECKS.map((one) => runCheck(one, fresh)))
  const failures = CHECKS.filter((_check, index) => !results[index]).map(({ name }) => `check: ${name}`)
  return { passed: results.length - failures.length, failed: failures.length, failures }
}

async function runCheck({ name, tool, args, quickArgs = [] }, fresh) {
  const start = performance.now()
  const child = spawn(process.execPath, [inTop('node_modules', tool), ...args, ...(fresh ? [] : quickArgs)], {
    cwd: inTop(),
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' }
  })
  const forget = endWithUs(child)
  const said = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => said.push(data))
  const { code } = await ended(child)
  forget()
  console.log(`${code === 0 ? '✓' : '✗'} ${name}  ${((performance.now() - start) / 1000).toFixed(1)} s`)
  if (code !== 0)
    console.log(
      String(Buffer.concat(said))
        .trim()
        .replaceAll(inTop() + path.sep, '')
        .replace(/^/gm, '  ')
    )
  return code === 0
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  exitOnSignals()
  try {
    const { failed } = await check()
    process.exitCode = failed > 0 ? 1 : 0
  } catch (error) {
    if (!(error instanceof StepError)) throw error
    console.log(error.message)
    process.exitCode = 1
  }
}
