import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { failure, type Failure, type MachineDefinition } from '#contract'
import { ensurePrivateFolder, exists, listFolder, openToRead, removeFile, truncate } from '../host/files'
import { lockFile, type FileLock } from '../host/lock'
import { QEMU } from '../host/qemu-binary'
import { bootId, isSameProcess, processStartTicks, signalProcess, spawnDetached, type Detached } from '../host/process'
import { checkSocketPath, waitForSocket } from '../host/socket'
import { machineRuntimePaths, type MachinePaths, type MachineRuntimePaths } from '../library/paths'
import { QmpSession } from '../qmp/session'
import { cancelled } from '../task/work'
import { GuestAgent } from './agent'
import { buildCommandLine, type LaunchContext } from './command-line'
import { explainLog, lastLines, type ExitFacts } from './exit'
import { writeRunRecord, type RunRecord } from './run-record'
import { startTpm } from './tpm'

/** From spawn to a monitor that answers. Slow hosts under load need seconds. */
export const LAUNCH_TIMEOUT_MS = 60_000
/** One that saves its memory on a busy host takes seconds to answer; to show it as out of reach then would be wrong. */
const ADOPT_TIMEOUT_MS = 10_000
const LOCK_WAIT_MS = 1_000
const LOCK_TRY_MS = 15

/** A running QEMU of ours: started by this process, or found running and adopted. */
export interface Qemu {
  readonly record: RunRecord
  readonly runtime: MachineRuntimePaths
  readonly qmp: QmpSession
  readonly agent: GuestAgent
  /** Fulfilled when the process has ended. */
  readonly exited: Promise<ExitFacts>
  /** Ends the process at once. */
  kill(): void
  /** Lets go of it: it runs on. */
  release(): void
}

/**
 * Starts QEMU and waits for its monitor. The machine's lock file is locked, and passes to the process, which holds it for
 * as long as it lives: so a machine cannot be started twice, whoever tries.
 * @throws in-use (runs already), qemu-exited (with QEMU's words), missing-program, time-out, cancelled
 */
export async function launchQemu(machine: MachineDefinition, context: LaunchContext, signal: AbortSignal): Promise<Qemu> {
  const lock = await lockSoon(() => lockFile(context.paths.lock))
  if (!lock) {
    throw failure('in-use', `“${machine.name}” is already running.`, { what: `machine ${machine.name}`, next: 'If another Strata runs it, stop it there.' })
  }
  try {
    return await launchLocked(machine, context, lock, signal)
  } finally {
    lock.release() // QEMU has it now, or it did not start
  }
}

/**
 * A QEMU that has just ended lets go of its lock last, after its files: removing a large one that only it still had open takes a moment.
 */
export async function lockSoon<T>(lock: () => Promise<T>): Promise<T> {
  for (const deadline = performance.now() + LOCK_WAIT_MS; ; await delay(LOCK_TRY_MS)) {
    const locked = await lock()
    if (locked || performance.now() > deadline) return locked
  }
}

async function launchLocked(machine: MachineDefinition, context: LaunchContext, lock: FileLock, signal: AbortSignal): Promise<Qemu> {
  const { paths, runtime } = context
  await ensurePrivateFolder(runtime.root)
  checkSocketPath(runtime.serial)
  for (const name of await listFolder(runtime.root)) await removeFile(join(runtime.root, name)) // of one that was killed
  await truncate(paths.consoleLog)
  await truncate(paths.qemuLog)
  if (machine.tpm) await startTpm(paths, runtime, signal)
  const devices = context.incoming && openToRead(context.incoming.devices)
  const process = await spawnDetached(QEMU, buildCommandLine(machine, context), {
    logFile: paths.qemuLog,
    inheritFds: [lock.fd, ...(devices ? [devices.fd] : [])]
  }).finally(() => devices?.close())
  const kill = (): void => void signalProcess(process.pid, process.startTicks, 'SIGKILL')
  let ended: { exitCode: number | null; signal: string | null } | null = null
  const exit = process.exited.then((facts) => (ended = facts))
  try {
    const record = recordOf(process, machine, context)
    await writeRunRecord(paths.run, record)
    const stop = new AbortController()
    void exit.then(() => stop.abort())
    const socket = await waitForSocket(runtime.qmp, { signal: AbortSignal.any([signal, stop.signal]), timeoutMs: LAUNCH_TIMEOUT_MS })
    const qmp = await QmpSession.over(socket, { peer: `QEMU of “${machine.name}”`, signal })
    return watched(record, runtime, qmp, exit, kill)
  } catch (error) {
    kill()
    const facts = await exit
    await removeFile(paths.run)
    if (signal.aborted) throw cancelled()
    throw ended && facts.signal !== 'SIGKILL' ? await explained(machine.name, facts, paths) : error
  }
}

/** What is written down of a process that runs a machine from now on. */
export function recordOf({ pid, startTicks }: Detached, machine: MachineDefinition, { runtime, accelerator }: LaunchContext): RunRecord {
  return { schemaVersion: 1, pid, startTicks, bootId: bootId(), startedAtMs: Date.now(), runtimeFolder: runtime.root, accelerator, definition: machine }
}

async function explained(name: string, facts: { exitCode: number | null; signal: string | null }, paths: MachinePaths): Promise<Failure> {
  const log = await lastLines(paths.qemuLog)
  return failure('qemu-exited', explainLog(log) ?? `QEMU could not start “${name}”.`, { ...facts, log, cause: log })
}

/**
 * Takes over a QEMU that another Strata process started.
 * @returns null when its monitor cannot be had: its sockets are gone, or somebody else holds them
 */
export async function adoptQemu(record: RunRecord): Promise<Qemu | null> {
  const runtime = machineRuntimePaths(record.runtimeFolder)
  if (!(await exists(runtime.qmp))) return null
  const { pid, startTicks } = record
  const kill = (): void => void signalProcess(pid, startTicks, 'SIGKILL')
  try {
    const socket = await waitForSocket(runtime.qmp, { signal: new AbortController().signal, timeoutMs: ADOPT_TIMEOUT_MS })
    const qmp = await QmpSession.over(socket, { peer: `QEMU of “${record.definition.name}”`, timeoutMs: ADOPT_TIMEOUT_MS })
    const released = new AbortController()
    const exit = qmp.closed.then(() => processGone(pid, startTicks, released.signal)).then(() => ({ exitCode: null, signal: null }))
    return watched(record, runtime, qmp, exit, kill, () => released.abort())
  } catch {
    return null // the caller tells: it is there, and out of reach
  }
}

/** The process of a record if it still is that very one. */
export const recordedProcessLives = (record: RunRecord): boolean => record.bootId === bootId() && isSameProcess(record.pid, record.startTicks)

/** Takes charge of a QEMU whose monitor answers. */
export function watched(
  record: RunRecord,
  runtime: MachineRuntimePaths,
  qmp: QmpSession,
  exit: Promise<{ exitCode: number | null; signal: string | null }>,
  kill: () => void,
  onRelease: () => void = () => {}
): Qemu {
  let shutdown: string | null = null
  let forced = false
  qmp.onEvent('SHUTDOWN', (data) => void (shutdown ??= data.reason)) // the first: an owner of shared disks is told to quit after it
  const agent = new GuestAgent(runtime.agent, record.definition.name)
  const exited = exit.then(async (facts) => {
    await Promise.race([qmp.closed, delay(500)]) // the last events may still be on their way
    agent.close()
    qmp.close()
    return { ...facts, shutdown, forced }
  })
  return {
    record,
    runtime,
    qmp,
    agent,
    exited,
    kill: () => {
      forced = true
      kill()
    },
    release: () => {
      onRelease()
      agent.close()
      qmp.close()
    }
  }
}

/** Waits for the end of a process that is not our child. Its monitor has closed, so that is near, or it hangs. */
export async function processGone(pid: number, startTicks: number, released: AbortSignal = new AbortController().signal): Promise<void> {
  for (let polls = 0; processStartTicks(pid) === startTicks; polls++) {
    await delay(polls < 200 ? 10 : 500, undefined, { signal: released, ref: false }).catch(() => new Promise(() => {})) // released: never told
  }
}
