import { execFileSync } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { Failure, type AppError, type ErrorCode } from '#contract'

/** A new empty folder that goes when the test ends. */
export function scratchFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'strata-test-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A new file system of this size, or null where this user may not mount one. */
export function smallFileSystem(sizeBytes: number): string | null {
  const folder = scratchFolder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes},mode=700`, 'strata-test', folder], { stdio: 'ignore' })
  } catch {
    return null
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]))
  return folder
}

/** Whether tests here can mount and act as another user. */
export const isRoot = process.getuid?.() === 0

/** Acts without root's right to read and write everything. */
export async function asNobody<T>(act: () => Promise<T>): Promise<T> {
  if (!isRoot) return act()
  process.seteuid?.(65534)
  try {
    return await act()
  } finally {
    process.seteuid?.(0)
  }
}

/** The error with which this fails, which must be an expected one of this code. */
export async function failureOf<C extends ErrorCode>(code: C, act: Promise<unknown> | (() => unknown)): Promise<Extract<AppError, { code: C }>> {
  let thrown: unknown
  try {
    await (typeof act === 'function' ? act() : act)
  } catch (error) {
    thrown = error
  }
  if (!(thrown instanceof Failure)) throw new Error(`expected a failure “${code}”, got ${thrown === undefined ? 'none' : 'another exception'}`, { cause: thrown })
  if (thrown.error.code !== code) throw new Error(`expected “${code}”, got ${JSON.stringify(thrown.error)}`)
  return thrown.error as Extract<AppError, { code: C }>
}
