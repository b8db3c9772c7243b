import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import { failure } from '#contract'
import { cancelled } from '#core/task/work'
import { fileFailure } from './file-failure'
import { findProgram } from './program'

export interface RunOptions {
  signal?: AbortSignal
  timeoutMs?: number
  /** Text for its standard input, or what it will be; without it standard input is empty. */
  input?: string | Promise<string>
  cwd?: string
  env?: NodeJS.ProcessEnv
  /** Output beyond this many bytes a stream is dropped. */
  maxOutputBytes?: number
  /** Called with the output as it comes; characters are whole. */
  onStdout?: (text: string) => void
  /** Called with its pid once it runs. */
  onStart?: (pid: number) => void
  onStderr?: (text: string) => void
  /** The file that it writes, named when the disk is full. */
  writes?: string
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
  vde_switch: 'vde2',
  flock: 'util-linux',
  fallocate: 'util-linux'
}
export const installCommand = (...packages: string[]): string => `sudo apt-get install ${packages.join(' ')}`

/**
 * Runs a program to its end. Arguments are passed as they are: no shell. It speaks English, so that its words can be
 * recognised.
 * @throws missing-program, program-failed (with its last words as cause), no-space, time-out, cancelled
 */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunOutput> {
  const { signal, timeoutMs, maxOutputBytes = 64 * 2 ** 20 } = options
  if (signal?.aborted) throw cancelled()
  const env = { ...(options.env ?? process.env), LC_ALL: 'C.UTF-8' }
  // In a session of its own: Ctrl+C at the terminal is for us to act on, and what the program starts ends with it.
  const child = spawn(program, args, { cwd: options.cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
  child.once('spawn', () => options.onStart?.(child.pid ?? -1))
  let timedOut = false
  const end = (): void => killGroup(child)
  signal?.addEventListener('abort', end, { once: true })
  const timer = setTimeout(() => void ((timedOut = true), end()), timeoutMs ?? LONGEST_TIMER_MS)
  try {
    const stdout = collect(child.stdout, maxOutputBytes, options.onStdout)
    const stderr = collect(child.stderr, maxOutputBytes, options.onStderr)
    child.stdin?.on('error', () => {}) // it may end without reading its input; its exit code tells
    void Promise.resolve(options.input).then((text = '') => child.stdin?.end(text))
    const { exitCode, killedBy } = await ended(child, program, options.cwd)
    const output = { stdout: stdout(), stderr: stderr(), exitCode: exitCode ?? -1 }
    if (signal?.aborted) throw cancelled()
    if (exitCode === 0 || (exitCode !== null && options.acceptExitCodes?.includes(exitCode))) return output
    if (timedOut) throw failure('time-out', `${program} did not end within ${timeoutMs} ms.`, { waitedMs: timeoutMs ?? 0, cause: wordsOf(output) })
    throw programFailed(program, exitCode, killedBy, output, options.writes)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', end)
  }
}
/** Ends a program and what it started. Called while its output is open, so that one of them still has the group's number. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** What setTimeout can wait at most: three weeks. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** What a program said when it failed; some say it on their standard output. */
const wordsOf = (output: RunOutput): string | undefined => output.stderr.trim() || output.stdout.trim() || undefined

function programFailed(program: string, exitCode: number | null, killedBy: string | null, output: RunOutput, writes?: string): Error {
  const words = wordsOf(output)
  if (words !== undefined && /No space left on device|Disk quota exceeded/.test(words)) {
    return failure('no-space', writes === undefined ? 'The disk is full.' : `There is no space left for “${writes}”.`, {
      path: writes ?? '',
      next: 'Free some space and try again.',
      cause: words
    })
  }
  return failure('program-failed', killedBy ? `${program} was ended by ${killedBy}.` : `${program} failed with exit code ${exitCode}${reasonIn(words)}`, {
    program,
    exitCode,
    cause: words
  })
}

/** The last thing a program said, which is why it gave up: `: The image size is too large`. Many begin it with their own name. */
function reasonIn(words: string | undefined): string {
  const last = words?.split('\n').at(-1)?.replace(/^[a-z][\w-]*: /, '').trim()
  return last === undefined || last === '' ? '.' : `: ${last.length > 200 ? `${last.slice(0, 199)}…` : last}`
}

/** Gathers a stream's text. There is no stream when the process could not be made. */
function collect(stream: NodeJS.ReadableStream | null, maxBytes: number, onText?: (text: string) => void): () => string {
  const chunks: Buffer[] = []
  const decoder = new StringDecoder('utf8')
  let bytes = 0
  stream?.on('data', (chunk: Buffer) => {
    onText?.(decoder.write(chunk))
    if (bytes < maxBytes) chunks.push(chunk.subarray(0, maxBytes - bytes))
    bytes += chunk.length
  })
  return () => Buffer.concat(chunks).toString()
}

function ended(child: ChildProcess, program: string, cwd: string | undefined): Promise<{ exitCode: number | null; killedBy: string | null }> {
  return new Promise((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => reject(cannotStart(program, cwd, error)))
    child.on('close', (exitCode, killedBy) => resolve({ exitCode, killedBy }))
  })
}

function cannotStart(program: string, cwd: string | undefined, error: NodeJS.ErrnoException): Error {
  if (error.code !== 'ENOENT') return failure('program-failed', `${program} could not be started.`, { program, exitCode: null, cause: error })
  // The system answers the same for a missing folder to start it in.
  if (cwd !== undefined && !existsSync(cwd)) return fileFailure(error, cwd, 'entered')
  return notInstalled(program, error)
}

function notInstalled(program: string, cause?: Error): Error {
  const install = installCommand(PACKAGE[program] ?? program)
  return failure('missing-program', `${program} is not installed.`, { program, install, next: `Install it: ${install}`, cause })
}

export interface Detached {
  readonly pid: number
  /** With the pid, names the process for good: pids are used again. */
  readonly startTicks: number
  readonly exited: Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>
}

/**
 * Starts a program that outlives this process, in a session of its own. Output is appended to `logFile`.
 *
 * It is scheduled as SCHED_BATCH, unless Strata itself is not scheduled as usual: one of its threads that wakes does not take the processor from what
 * runs. Machines that are busy are woken thousands of times a second (a timer tick, a kick, an answer), and would push each other out of the processors'
 * caches each time. Where a processor is free nothing changes, and no right is needed. Why: docs/decisions.md. Source: sched(7), chrt(1).
 * @param options.inheritFds open descriptors that the program gets as 3, 4, ... and keeps until it ends
 */
export async function spawnDetached(
  program: string,
  args: readonly string[],
  options: { logFile: string; cwd?: string; env?: NodeJS.ProcessEnv; inheritFds?: readonly number[] }
): Promise<Detached> {
  const { logFile, cwd = '/', env = process.env, inheritFds = [] } = options
  const log = openLog(logFile)
  const nothing = openSync('/dev/null', 'r+')
  try {
    const path = findProgram(program, env)
    if (path === null) throw notInstalled(program)
    const [first, ...rest] = asBatchWork([path, ...args], env)
    const child = spawn(first, rest, { cwd, env, detached: true, stdio: coverInherited(['ignore', log, log, ...inheritFds], nothing) })
    const exited = new Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>((resolve) => {
      child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }))
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', (error) => reject(cannotStart(program, cwd, error)))
    })
    child.unref()
    const pid = child.pid ?? -1
    return { pid, startTicks: processStartTicks(pid) ?? -1, exited }
  } finally {
    closeSync(nothing)
    closeSync(log)
  }
}

/**
 * The command, begun by a program that schedules itself so and then becomes it. Who has Strata run otherwise means its machines, too (and may not be
 * allowed to leave SCHED_IDLE again); where there is no chrt, they run as ever.
 */
function asBatchWork(command: [string, ...string[]], env: NodeJS.ProcessEnv): [string, ...string[]] {
  const chrt = schedulingPolicy() === SCHED_OTHER ? findProgram('chrt', env) : null
  return chrt ? [chrt, '--batch', '0', ...command] : command
}

/** Source: field 41 of proc(5)'s /proc/PID/stat, sched.h. */
const SCHED_OTHER = 0
const schedulingPolicy = (): number => Number(statFields(process.pid)?.[41 - 3])

/**
 * Chromium does not mark its descriptors close-on-exec: a program that the app starts would hold its sockets, pipes and files
 * for as long as it lives, and whoever waits for those to close would wait for a machine to end. Whatever would be inherited beyond
 * `wanted` is covered with /dev/null.
 */
function coverInherited(wanted: readonly ('ignore' | number)[], nothing: number): ('ignore' | number)[] {
  const stdio = [...wanted]
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name)
    if (fd < wanted.length || !isInheritable(fd)) continue
    while (stdio.length <= fd) stdio.push('ignore') // is closed by exec
    stdio[fd] = nothing
  }
  return stdio
}

/** O_CLOEXEC, as /proc/PID/fdinfo shows it. Source: proc(5). */
const CLOSE_ON_EXEC = 0o2000000
function isInheritable(fd: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1]
    return flags !== undefined && (parseInt(flags, 8) & CLOSE_ON_EXEC) === 0
  } catch {
    return false // closed meanwhile, as the one that listed the folder
  }
}

function openLog(path: string): number {
  try {
    return openSync(path, 'a', 0o600)
  } catch (error) {
    throw fileFailure(error, path, 'opened')
  }
}

/** What a reader of /proc finds; null when the process, or its thread, is gone. */
function whileThere<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return null
    throw error // too many open files, say: nothing is known then about the process
  }
}
const textOf = (path: string): string | null => whileThere(() => readFileSync(path, 'latin1'))
const folderOf = (path: string): string[] | null => whileThere(() => readdirSync(path))

/** The fields of /proc/PID/stat from the third on, so that field n of proc(5) is at n - 3; null when the process is gone. */
function statFields(pid: number): string[] | null {
  const stat = textOf(`/proc/${pid}/stat`)
  return stat === null ? null : stat.slice(stat.lastIndexOf(')') + 2).split(' ') // the name before it may hold spaces and parentheses
}

/** When a process started, in clock ticks since boot (field 22 of /proc/PID/stat); null when it is gone or a zombie. */
export function processStartTicks(pid: number): number | null {
  const fields = statFields(pid)
  return fields === null || fields[0] === 'Z' ? null : Number(fields[19])
}

/**
 * What a process waits for, as the system tells it: whether it is stopped (by a signal, or a debugger), and its threads that wait for a device and
 * cannot be interrupted. A name that stays the same is one and the same wait, as it holds how often the thread has waited. Empty when it is gone. Source: proc(5).
 */
export function readProcessWaits(pid: number): { stopped: boolean; waits: string[] } {
  const state = statFields(pid)?.[0]
  const waits = (folderOf(`/proc/${pid}/task`) ?? []).flatMap((thread) => {
    const status = textOf(`/proc/${pid}/task/${thread}/status`) ?? ''
    return /^State:\s+D/m.test(status) ? [`${thread}:${/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1] ?? ''}`] : []
  })
  return { stopped: state === 'T' || state === 't', waits }
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

/** The process that wrote this pid file, if one runs that was given its path; null when it has ended. */
export function processOfPidFile(path: string): Pick<Detached, 'pid' | 'startTicks'> | null {
  try {
    const pid = Number(readFileSync(path, 'latin1'))
    if (!(pid > 0) || !readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(path)) return null
    const startTicks = processStartTicks(pid)
    return startTicks === null ? null : { pid, startTicks }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return null
    throw error
  }
}

/** Processor time and resident memory of a process so far; null when it is gone. Source: proc(5). */
export function readProcessStats(pid: number): { cpuSeconds: number; residentBytes: number } | null {
  const fields = statFields(pid)
  if (fields === null || fields[0] === 'Z') return null
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND, residentBytes: Number(fields[21]) * PAGE_BYTES }
}
/** USER_HZ and the page size are the same on every x86-64 Linux. */
const TICKS_PER_SECOND = 100
const PAGE_BYTES = 4096

/** Another one after every boot of the host. Source: random(4). */
export const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
