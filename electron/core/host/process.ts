import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { failure } from '#contract'
import { cancelled } from '../task/work'

export interface RunOptions {
  signal?: AbortSignal
  timeoutMs?: number
  /** Text for its standard input; without it standard input is empty. */
  input?: string
  cwd?: string
  env?: NodeJS.ProcessEnv
  /** Output beyond this many bytes a stream is dropped. */
  maxOutputBytes?: number
  onStdout?: (text: string) => void
  /** Exit codes that are an answer, not a failure. */
  acceptExitCodes?: readonly number[]
}
export interface RunOutput {
  stdout: string
  stderr: string
  exitCode: number
}

/** Debian package of each program that Strata runs. */
const PACKAGE: Record<string, string> = {
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  'qemu-storage-daemon': 'qemu-utils',
  swtpm: 'swtpm',
  genisoimage: 'genisoimage',
  vde_switch: 'vde2',
  flock: 'util-linux',
  fallocate: 'util-linux'
}
export const installCommand = (...packages: string[]): string => `sudo apt-get install ${packages.join(' ')}`

/**
 * Runs a program to its end. Arguments are passed as they are: no shell.
 * @throws missing-program, program-failed (with its last words as cause), no-space, time-out, cancelled
 */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunOutput> {
  const { signal, timeoutMs, maxOutputBytes = 64 * 2 ** 20 } = options
  if (signal?.aborted) throw cancelled()
  const startedMs = Date.now()
  const child = spawn(program, args, { cwd: options.cwd, env: options.env ?? process.env, stdio: ['pipe', 'pipe', 'pipe'] })
  const end = (): void => void child.kill('SIGKILL')
  signal?.addEventListener('abort', end, { once: true })
  const timer = timeoutMs === undefined ? undefined : setTimeout(end, timeoutMs)
  try {
    const stdout = collect(child.stdout, maxOutputBytes, options.onStdout)
    const stderr = collect(child.stderr, maxOutputBytes)
    child.stdin.on('error', () => {}) // it may end without reading its input; its exit code tells
    child.stdin.end(options.input ?? '')
    const { exitCode, killedBy } = await ended(child, program)
    const output = { stdout: stdout(), stderr: stderr(), exitCode: exitCode ?? -1 }
    if (signal?.aborted) throw cancelled()
    if (killedBy !== null && timeoutMs !== undefined && Date.now() - startedMs >= timeoutMs) {
      throw failure('time-out', `${program} did not end within ${timeoutMs} ms.`, { waitedMs: timeoutMs, cause: output.stderr.trim() })
    }
    if (exitCode === 0 || (exitCode !== null && options.acceptExitCodes?.includes(exitCode))) return output
    throw programFailed(program, args, exitCode, killedBy, output)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', end)
  }
}

function programFailed(program: string, args: readonly string[], exitCode: number | null, killedBy: string | null, output: RunOutput): Error {
  const words = output.stderr.trim() || output.stdout.trim()
  if (/No space left on device/.test(words)) {
    return failure('no-space', 'The disk is full.', { path: args.at(-1) ?? '', next: 'Free some space and try again.', cause: words })
  }
  return failure('program-failed', killedBy ? `${program} was ended by ${killedBy}.` : `${program} failed with exit code ${exitCode}.`, {
    program,
    exitCode,
    cause: words
  })
}

function collect(stream: NodeJS.ReadableStream, maxBytes: number, onText?: (text: string) => void): () => string {
  const chunks: Buffer[] = []
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    onText?.(chunk.toString())
    if (bytes < maxBytes) chunks.push(chunk)
    bytes += chunk.length
  })
  return () => Buffer.concat(chunks).toString()
}

function ended(child: ChildProcess, program: string): Promise<{ exitCode: number | null; killedBy: string | null }> {
  return new Promise((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => reject(cannotStart(program, error)))
    child.on('close', (exitCode, killedBy) => resolve({ exitCode, killedBy }))
  })
}

function cannotStart(program: string, error: NodeJS.ErrnoException): Error {
  if (error.code !== 'ENOENT') return failure('program-failed', `${program} could not be started.`, { program, exitCode: null, cause: error })
  const install = installCommand(PACKAGE[program] ?? program)
  return failure('missing-program', `${program} is not installed.`, { program, install, next: `Install it: ${install}`, cause: error })
}

export interface Detached {
  readonly pid: number
  /** With the pid, names the process for good: pids are used again. */
  readonly startTicks: number
  readonly exited: Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>
}

/**
 * Starts a program that outlives this process, in a session of its own. Output is appended to `logFile`.
 * @param options.inheritFds open descriptors that the program gets as 3, 4, ... and keeps until it ends
 */
export async function spawnDetached(
  program: string,
  args: readonly string[],
  options: { logFile: string; cwd?: string; inheritFds?: readonly number[] }
): Promise<Detached> {
  const log = openSync(options.logFile, 'a', 0o600)
  try {
    const child = spawn(program, args, { cwd: options.cwd ?? '/', detached: true, stdio: ['ignore', log, log, ...(options.inheritFds ?? [])] })
    const exited = new Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>((resolve) => {
      child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }))
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', (error) => reject(cannotStart(program, error)))
    })
    child.unref()
    const pid = child.pid ?? -1
    return { pid, startTicks: processStartTicks(pid) ?? -1, exited }
  } finally {
    closeSync(log)
  }
}

/** When a process started, in clock ticks since boot (field 22 of /proc/PID/stat); null when it is gone or a zombie. */
export function processStartTicks(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // the name before it may hold spaces and parentheses
    return fields[0] === 'Z' ? null : Number(fields[19])
  } catch {
    return null // no such process
  }
}

/** Whether this very process still runs, not another one that got its pid. */
export const isSameProcess = (pid: number, startTicks: number): boolean => processStartTicks(pid) === startTicks

/** Sends a signal to this very process; answers false when it is gone. */
export function signalProcess(pid: number, startTicks: number, signal: NodeJS.Signals): boolean {
  if (!isSameProcess(pid, startTicks)) return false
  try {
    return process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

/** Processor time and resident memory of a process so far; null when it is gone. Source: proc(5). */
export function readProcessStats(pid: number): { cpuSeconds: number; residentBytes: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND, residentBytes: Number(fields[21]) * PAGE_BYTES }
  } catch {
    return null
  }
}
/** USER_HZ and the page size are the same on every x86-64 Linux. */
const TICKS_PER_SECOND = 100
const PAGE_BYTES = 4096

/** Another one after every boot of the host. Source: random(4). */
export const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
