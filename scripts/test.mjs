#!/usr/bin/env node
// npm test: set-up, check, unit, integration, e2e; then one line that counts them all.
//   npm test -- PART... [FILTER...]    some parts only, and of those the test files whose path holds a filter
import { inTop } from './lib/paths.mjs'
import { add, inWords, NONE, oneFailed, playwrightCounts, vitestCounts, withVerdict } from './lib/counts.mjs'
import { Report } from './lib/report.mjs'
import { exitOnSignals, StepError } from './lib/run.mjs'
import { TestRun } from './lib/test-run.mjs'
import { setUp } from './setup.mjs'

const PARTS = ['check', 'unit', 'integration', 'e2e']
/** For all parts together; what is still running then has failed. */
const LIMIT_MS = 19 * 60_000
const report = new Report()

exitOnSignals()
const total = await main(process.argv.slice(2))
if (total) {
  // A log is long: what failed is said once more where one looks first.
  for (const late of total.late) console.log(`↻ passed at its second attempt: ${late}`)
  for (const failure of total.failures) console.log(`✗ ${failure}`)
  console.log(inWords(total))
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0
}

async function main(args) {
  const parts = args.filter((arg) => PARTS.includes(arg))
  const filters = args.filter((arg) => !PARTS.includes(arg))
  if (filters.some((filter) => filter.startsWith('-'))) {
    console.log(`usage: npm test [-- [${PARTS.join('|')}]... [part of a test file's path]...]`)
    process.exitCode = 2
    return null
  }
  const { ready, failed } = await setUp({ report })
  const setUpCounts = failed.map(({ step, why }) => oneFailed(`set-up: ${step}: ${why}`)).reduce(add, NONE)
  return ready ? add(setUpCounts, await runParts(parts.length > 0 ? parts : PARTS, filters)) : setUpCounts
}

async function runParts(parts, filters) {
  const deadline = performance.now() + LIMIT_MS
  const run = new TestRun()
  let total = NONE
  try {
    // A filter names tests: it leaves the check out unless that is asked for.
    for (const part of PARTS.filter((name) => parts.includes(name))) {
      if (part === 'check' && filters.length > 0 && parts.length > 1) continue
      const start = performance.now()
      report.line(`\n== ${part}`)
      const counts = add(await runPart(part, run, filters, deadline - start), await reportLeft(run, part))
      report.line(`== ${part}: ${inWords(counts)} in ${((performance.now() - start) / 1000).toFixed(0)} s`)
      total = add(total, counts)
    }
  } finally {
    run.close()
  }
  report.line()
  return total
}

async function runPart(part, run, filters, timeoutMs) {
  try {
    if (part === 'check') return { ...NONE, ...(await (await import('./check.mjs')).check({ fresh: true })) }
    if (part === 'e2e') return await onDisplay((env) => playwright(run, filters, timeoutMs, env))
    return await vitest(part === 'unit' ? ['unit', 'window'] : [part], run, filters, timeoutMs)
  } catch (error) {
    if (!(error instanceof StepError)) throw error
    report.failure(error)
    return oneFailed(`${part}: ${error.message}`)
  }
}

async function vitest(projects, run, filters, timeoutMs) {
  const file = run.file('vitest.json')
  const args = ['run', '--config', inTop('scripts/config/vitest.config.ts'), ...projects.flatMap((name) => ['--project', name])]
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`, '--passWithNoTests']
  return counted(
    () => vitestCounts(file),
    await run.run([inTop('node_modules/vitest/vitest.mjs'), ...args, ...reporters, ...filters], { cwd: inTop(), timeoutMs })
  )
}

async function playwright(run, filters, timeoutMs, env) {
  const file = run.file('playwright.json')
  const args = [
    'test',
    '--config',
    inTop('scripts/config/playwright.config.ts'),
    '--reporter=list,json',
    '--pass-with-no-tests',
    ...filters
  ]
  const ended = await run.run([inTop('node_modules/@playwright/test/cli.js'), ...args], {
    cwd: inTop(),
    timeoutMs,
    env: { ...env, PLAYWRIGHT_JSON_OUTPUT_FILE: file, PLAYWRIGHT_FORCE_TTY: '0' }
  })
  return counted(() => playwrightCounts(file), ended)
}

function counted(counts, { code, timedOut }) {
  if (timedOut) report.line(`Ended after ${LIMIT_MS / 60_000} minutes in all: it took too long.`)
  return withVerdict(counts(), code)
}

/**
 * Tests press keys and take pictures: they get a display of their own, so that nobody types into them.
 * STRATA_TEST_DISPLAY=1 shows them on yours.
 */
async function onDisplay(work) {
  const { startDisplay } = await import('./lib/display.mjs')
  if (process.env.STRATA_TEST_DISPLAY) return work({})
  const display = await startDisplay()
  try {
    return await work({ ...display.env, WAYLAND_DISPLAY: '' })
  } finally {
    await display.stop()
  }
}

/** A test that leaves a process behind has failed, whatever it says itself. */
async function reportLeft(run, part) {
  const left = await run.leftProcesses()
  if (left.length === 0) return NONE
  const what = `${part} left ${left.length === 1 ? 'a process' : `${left.length} processes`} behind`
  report.line(`✗ ${what}:`)
  for (const { pid, command } of left) report.line(`  ${pid}  ${command.slice(0, 160)}`)
  await run.end(left)
  return oneFailed(`${what}: ${left.map(({ command }) => command.slice(0, 80)).join('; ')}`)
}
