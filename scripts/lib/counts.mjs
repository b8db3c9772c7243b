import { readJson } from './files.mjs'

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

export const NONE = Object.freeze({ passed: 0, failed: 0, skipped: 0 })
export const add = (a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped })
export const inWords = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`

/** Counts of vitest's JSON report. A file that could not even be loaded has no tests in it, and counts as one that failed. */
export function vitestCounts(reportFile) {
  const report = readJson(reportFile, null)
  if (!report) return null
  const unloadable = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0
  ).length
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloadable,
    skipped: report.numPendingTests + report.numTodoTests
  }
}

/**
 * Counts of Playwright's JSON report. Errors outside of any test count as one each. A test that passed at its second attempt has
 * passed: the runner's own lines name it ("flaky").
 */
export function playwrightCounts(reportFile) {
  const report = readJson(reportFile, null)
  if (!report) return null
  const { expected, flaky, unexpected, skipped } = report.stats
  return { passed: expected + flaky, failed: unexpected + report.errors.length, skipped }
}

/** A runner that fails while every test of its report passed, or leaves no report, has failed all the same. */
export function withVerdict(counts, code) {
  if (!counts) return { ...NONE, failed: 1 }
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts
}
