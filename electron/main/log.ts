import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import path from 'node:path'

/** Small enough to send with a report, large enough for days. */
const ROTATE_BYTES = 1 << 20
const KEPT = 3

export interface Log {
  info(line: string): void
  warn(line: string): void
  error(line: string, thrown?: unknown): void
}

/**
 * The app's log file, `<folder>/app.log`, with the older ones as `app.1.log` and so on. Written at once, so that the last lines before
 * a crash are there. Inputs of operations are never logged: they may hold passwords.
 * A folder that cannot be written to is no reason not to run: lines then go to standard error only.
 */
export function openLog(folder: string): Log {
  const file = path.join(folder, 'app.log')
  let size: number | null = null

  const write = (level: string, line: string): void => {
    const text = `${new Date().toISOString()} ${level} ${line}\n`
    if (level !== 'info') process.stderr.write(text)
    try {
      size ??= openedSize(folder, file)
      if (size > ROTATE_BYTES) {
        rotate(folder)
        size = 0
      }
      appendFileSync(file, text, { mode: 0o600 })
      size += Buffer.byteLength(text)
    } catch (error) {
      if (level === 'info') process.stderr.write(text)
      process.stderr.write(`the log ${file} cannot be written: ${String(error)}\n`)
    }
  }
  return {
    info: (line) => write('info', line),
    warn: (line) => write('warn', line),
    error: (line, thrown) => write('error', thrown === undefined ? line : `${line}: ${words(thrown)}`)
  }
}

function openedSize(folder: string, file: string): number {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

function rotate(folder: string): void {
  const named = (age: number): string => path.join(folder, age === 0 ? 'app.log' : `app.${age}.log`)
  for (let age = KEPT - 1; age >= 0; age--) {
    if (statSync(named(age), { throwIfNoEntry: false })) renameSync(named(age), named(age + 1))
  }
}

const words = (thrown: unknown): string => (thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown))
