import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { add, inWords, playwrightCounts, vitestCounts, withVerdict } from '../../../scripts/lib/counts.mjs'

const folder = mkdtempSync(path.join(tmpdir(), 'counts-'))
afterAll(() => rmSync(folder, { recursive: true }))
function report(value) {
  const file = path.join(folder, 'report.json')
  writeFileSync(file, JSON.stringify(value))
  return file
}

describe('counting', () => {
  const passing = { numPassedTests: 3, numFailedTests: 1, numPendingTests: 1, numTodoTests: 1 }

  it("reads vitest's report", () => {
    const testResults = [{ status: 'failed', assertionResults: [{}, {}] }]
    expect(vitestCounts(report({ ...passing, testResults }))).toEqual({ passed: 3, failed: 1, skipped: 2 })
  })

  it('counts a test file that cannot be loaded as failed', () => {
    const testResults = [{ status: 'failed', assertionResults: [] }]
    expect(vitestCounts(report({ ...passing, testResults })).failed).toBe(2)
  })

  it("reads Playwright's report, where a test that passed at its second attempt has passed", () => {
    const stats = { expected: 5, flaky: 1, unexpected: 2, skipped: 3 }
    expect(playwrightCounts(report({ stats, errors: [{}] }))).toEqual({ passed: 6, failed: 3, skipped: 3 })
  })

  it('takes a runner without a report for a failure', () => {
    expect(withVerdict(vitestCounts(path.join(folder, 'none')), 0)).toEqual({ passed: 0, failed: 1, skipped: 0 })
  })

  it('takes a runner that ended badly for a failure, though all its tests passed', () => {
    expect(withVerdict({ passed: 9, failed: 0, skipped: 0 }, 1).failed).toBe(1)
    expect(withVerdict({ passed: 9, failed: 2, skipped: 0 }, 1).failed).toBe(2)
    expect(withVerdict({ passed: 9, failed: 0, skipped: 0 }, null).failed).toBe(1)
  })

  it('adds suites into the closing line', () => {
    expect(inWords(add({ passed: 1, failed: 2, skipped: 3 }, { passed: 10, failed: 20, skipped: 30 }))).toBe(
      '11 passed, 22 failed, 33 skipped'
    )
  })
})
