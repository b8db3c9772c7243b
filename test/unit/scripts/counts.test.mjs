import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { add, inWords, NONE, playwrightCounts, vitestCounts, withVerdict } from '../../../scripts/lib/counts.mjs'

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
    const testResults = [
      { status: 'failed', name: path.resolve('test/a.test.ts'), assertionResults: [{ status: 'passed' }, { status: 'failed', fullName: 'a b' }] }
    ]
    expect(vitestCounts(report({ ...passing, testResults }))).toEqual({ passed: 3, failed: 1, skipped: 2, failures: ['test/a.test.ts: a b'], late: [] })
  })

  it('names what passed at its second attempt, and why not at its first', () => {
    const assertionResults = [
      { status: 'passed', fullName: 'a b', failureMessages: ['Error: no answer\n    at'] },
      { status: 'failed', fullName: 'a c', failureMessages: ['Error: none'] }
    ]
    const testResults = [{ status: 'passed', name: path.resolve('test/a.test.ts'), assertionResults }]
    expect(vitestCounts(report({ ...passing, testResults })).late).toEqual(['test/a.test.ts: a b: Error: no answer'])
  })

  it('counts a test file that cannot be loaded as failed', () => {
    const testResults = [{ status: 'failed', name: path.resolve('test/b.test.ts'), assertionResults: [] }]
    expect(vitestCounts(report({ ...passing, testResults }))).toMatchObject({ failed: 2, failures: ['test/b.test.ts could not be loaded'] })
  })

  it("reads Playwright's report, where a test that passed at its second attempt has passed", () => {
    const stats = { expected: 5, flaky: 1, unexpected: 2, skipped: 3 }
    const specs = (file, ...oks) => oks.map((ok) => ({ file, title: ok ? 'works' : 'does not', ok }))
    const late = { file: 'b.spec.ts', title: 'works late', ok: true, tests: [{ status: 'flaky', results: [{ error: { message: 'no answer\nat' } }, {}] }] }
    const suites = [{ specs: specs('a.spec.ts', true, false), suites: [{ specs: [...specs('b.spec.ts', false), late] }] }]
    expect(playwrightCounts(report({ stats, suites, errors: [{ message: 'no display\nat' }] }))).toEqual({
      passed: 6,
      failed: 3,
      skipped: 3,
      failures: ['a.spec.ts: does not', 'b.spec.ts: does not', 'outside of any test: no display'],
      late: ['b.spec.ts: works late: no answer']
    })
  })

  it('takes a runner without a report for a failure', () => {
    expect(withVerdict(vitestCounts(path.join(folder, 'none')), 0)).toMatchObject({ passed: 0, failed: 1, skipped: 0 })
  })

  it('takes a runner that ended badly for a failure, though all its tests passed', () => {
    expect(withVerdict({ ...NONE, passed: 9 }, 1)).toMatchObject({ passed: 9, failed: 1, failures: [expect.stringContaining('code 1')] })
    expect(withVerdict({ ...NONE, passed: 9, failed: 2 }, 1).failed).toBe(2)
    expect(withVerdict({ ...NONE, passed: 9 }, null).failed).toBe(1)
  })

  it('adds suites into the closing line', () => {
    const sum = add({ passed: 1, failed: 2, skipped: 3, failures: ['a'], late: ['c'] }, { passed: 10, failed: 20, skipped: 30, failures: ['b'], late: [] })
    expect(inWords(sum)).toBe('11 passed, 22 failed, 33 skipped')
    expect(sum.failures).toEqual(['a', 'b'])
    expect(sum.late).toEqual(['c'])
  })
})
