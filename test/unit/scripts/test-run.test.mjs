import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TestRun } from '../../../scripts/lib/test-run.mjs'

let run
beforeEach(() => {
  run = new TestRun()
})
afterEach(() => run.close())

/** Starts a program as a careless test would: on its own, and never ended. */
function leave(args, env) {
  const child = spawn('sleep', args, { env, detached: true, stdio: 'ignore' })
  child.unref()
  return child
}
const gone = (child) =>
  child.exitCode !== null || child.signalCode !== null || new Promise((resolve) => child.once('exit', () => resolve(true)))

describe('a test run', () => {
  it('finds and ends a process left behind, and none that is not its own', async () => {
    const own = leave(['300'], { ...process.env, ...run.env })
    const foreign = leave(['300'], process.env)
    try {
      const left = await run.leftProcesses(100)
      expect(left).toEqual([{ pid: own.pid, command: 'sleep 300' }])
      await run.end(left)
      expect(await gone(own)).toBe(true)
      expect(foreign.exitCode).toBe(null)
    } finally {
      foreign.kill()
    }
  })

  it('finds a process by its folder when it was given another environment', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', run.file('x')], { env: {}, stdio: 'ignore' })
    const left = await run.leftProcesses(100)
    expect(left.map(({ pid }) => pid)).toContain(child.pid)
    await run.end(left)
    expect(await gone(child)).toBe(true)
  })

  it('waits for a process that is about to end', async () => {
    leave(['0.3'], { ...process.env, ...run.env })
    expect(await run.leftProcesses()).toEqual([])
  })

  it("gives tests folders of their own, never the user's, and takes them away", () => {
    const { TMPDIR, STRATA_HOME, XDG_RUNTIME_DIR, XDG_CONFIG_HOME } = run.env
    for (const folder of [STRATA_HOME, XDG_RUNTIME_DIR, XDG_CONFIG_HOME]) expect(path.dirname(folder)).toBe(TMPDIR)
    run.close()
    expect(existsSync(TMPDIR)).toBe(false)
  })

  it('ends what takes longer than it may', async () => {
    const { code, timedOut } = await run.run(['-e', 'setTimeout(() => {}, 60000)'], { timeoutMs: 200 })
    expect({ code, timedOut }).toEqual({ code: null, timedOut: true })
  })
})
