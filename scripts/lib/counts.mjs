import path from 'node:path'
import { readJson } from './files.mjs'
import { inTop } from './paths.mjs'

/** @typedef {{ passed: number, failed: number, skipped: number, failures: string[], late: string[] }} Counts
 * `failures`: what failed, by name, as far as is known; `late`: what passed at its second attempt, and why not at its first */

/** @type {Counts} */
export const NONE = Object.freeze({ passed: 0, failed: 0, skipped: 0, failures: Object.freeze([]), late: Object.freeze([]) })
export const add = (a, b) => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
  failures: [...a.failures, ...b.failures],
  late: [...a.late, ...b.late]
})
/** @param {string} what @returns {Counts} */
export const oneFailed = (what) => ({ ...NONE, failed: 1, failures: [what] })
export const inWords = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`

/** Counts of vitest's JSON report. A file that could not even be loaded has no tests in it, and counts as one that failed. */
export function vitestCounts(reportFile) {
  const report = readJson(reportFile, null)
  if (!report) return null
  const unloadable = report.testResults.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0)
  const tests = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ status, fullName, failureMessages = [] }) => ({ status, called: `${inCheckout(name)}: ${fullName}`, why: failureMessages }))
  )
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloadable.length,
    skipped: report.numPendingTests + report.numTodoTests,
    failures: [
      ...tests.filter(({ status }) => status === 'failed').map(({ called }) => called),
      ...unloadable.map(({ name }) => `${inCheckout(name)} could not be loaded`)
    ],
    late: tests.filter(({ status, why }) => status === 'passed' && why.length > 0).map(({ called, why }) => `${called}: ${firstLine(why[0])}`)
  }
}

/**
 * Counts of Playwright's JSON report. Errors outside of any test count as one each. A test that passed at its second attempt has
 * passed.
 */
export function playwrightCounts(reportFile) {
  const report = readJson(reportFile, null)
  if (!report) return null
  const { expected, flaky, unexpected, skipped } = report.stats
  const specs = specsOf(report.suites ?? [])
  return {
    passed: expected + flaky,
    failed: unexpected + report.errors.length,
    skipped,
    failures: [
      ...specs.filter(({ ok }) => !ok).map(({ file, title }) => `${file}: ${title}`),
      ...report.errors.map(({ message }) => `outside of any test: ${firstLine(message)}`)
    ],
    late: specs.flatMap(({ file, title, tests = [] }) =>
      tests.filter(({ status }) => status === 'flaky').map(({ results }) => `${file}: ${title}: ${firstLine(results[0].error?.message)}`)
    )
  }
}

const specsOf = (suites) => suites.flatMap(({ suites: inner = [], specs = [] }) => [...specs, ...specsOf(inner)])

/** A runner that fails while every test of its report passed, or leaves no report, has failed all the same. */
export function withVerdict(counts, code) {
  if (!counts) return oneFailed(`the test runner ended with code ${code} and left no report`)
  if (code === 0 || counts.failed > 0) return counts
  return add(counts, oneFailed(`the test runner ended with code ${code}, though every test passed: an error outside of them, told above`))
}

const inCheckout = (file) => path.relative(inTop(), file)
const firstLine = (text = '') => text.split('\n')[0]
