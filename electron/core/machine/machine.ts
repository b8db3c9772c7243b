import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { failure, Failure, type Accelerator, type Machine, type MachineDefinition, type MachineState } from '#contract'
import { allocatedBytes, removeFile } from '../host/files'
import type { RunState } from '../qmp/commands'
import type { QmpSession } from '../qmp/session'
import type { MachinePaths } from '../library/paths'
import { cancelled, type Work } from '../task/work'
import type { LaunchContext } from './command-line'
import { openPastConsole, SerialConsole } from './console'
import { pendingChanges } from './definition'
import { describeExit } from './exit'
import { writeExitRecord, type ExitRecord } from './exit-record'
import { launchQemu, type Qemu } from './qemu'
import type { StandbyQemu } from './standby-qemu'
import { isLive, isOff, nextState, requireState, type MachineEvent } from './state'

const AGENT_SHUTDOWN_TIMEOUT_MS = 1500
const AGENT_ASK_TIMEOUT_MS = 60_000
const AGENT_TRY_MS = 40
const AGENT_TRY_LONGEST_MS = 400
const TRIM_INTERVAL_MS = 60_000
/** What io errors and the like are called when they pause a machine (RunState in qapi/run-state.json). */
const PAUSE_REASONS: Record<string, string> = {
  'io-error': 'a disk could not be read or written',
  'guest-panicked': 'the guest’s kernel panicked',
  'internal-error': 'QEMU met an error of its own',
  prelaunch: 'it was started paused',
  postmigrate: 'memory saved',
  watchdog: 'its watchdog fired'
}

/** QEMU stops a guest whose write finds no room, and tries that write again when it goes on. */
const FULL_DISK = 'the host’s disk is full; make room there, then let it go on: nothing is lost'

/** A machine of the library: its definition, its state, and the QEMU that runs it, if one does. */
export class ManagedMachine {
  state: MachineState = { kind: 'created' }
  private qemu: Qemu | null = null
  private console: SerialConsole | null = null
  private agentAnswers: boolean | null = null
  /** It goes on from a snapshot, in which the agent's port may be open: whether it answers is known when it was asked. */
  private agentUnasked = false
  private diskBytes = 0
  private trimTimer: NodeJS.Timeout | null = null
  /** Settled when the state is one without QEMU. */
  private off: Promise<void> = Promise.resolve()
  /** Settled when its disks are as the record says: what was cut off in a moment's work is finished at the opening of the library. */
  inOrder: Promise<unknown> = Promise.resolve()
  /** What is being done to its disks: it is not started, renamed or deleted meanwhile. */
  private reservedFor: string | null = null
  /** The library was given up: what happens to QEMU now is the next owner's to tell. */
  private released = false

  constructor(
    public definition: MachineDefinition,
    public paths: MachinePaths,
    private readonly defaultAccelerator: () => Accelerator,
    private readonly onDidChange: (machine: ManagedMachine) => void
  ) {}

  get name(): string {
    return this.definition.name
  }

  /** As the faces see it. */
  view(): Machine {
    const { definition, state } = this
    return {
      definition,
      id: definition.id,
      name: definition.name,
      state,
      pending: this.qemu ? pendingChanges(definition, this.qemu.record.definition) : [],
      accelerator: this.qemu?.record.accelerator ?? (definition.accelerator === 'auto' ? this.defaultAccelerator() : definition.accelerator),
      agent: this.agentAnswers,
      diskBytes: this.diskBytes
    }
  }

  /** The QEMU that runs it. @param verb what was to be done: `paused`, `asked` @throws wrong-state when none does */
  live(verb: string): Qemu {
    if (this.present) return this.present
    throw failure('wrong-state', `“${this.name}” is ${this.state.kind} and cannot be ${verb}.`, {
      name: this.name,
      state: this.state.kind,
      next: isOff(this.state) ? 'Start it first.' : 'Try again in a moment.'
    })
  }

  /** The QEMU that runs it; null when none does, also when it has just ended and that is not told yet. */
  get present(): Qemu | null {
    return this.qemu && isLive(this.state) ? this.qemu : null
  }

  /** The QEMU that has its disks open; null when it is off. @throws wrong-state in between */
  get running(): Qemu | null {
    return isOff(this.state) ? null : this.live('worked on')
  }

  /**
   * Keeps everybody else from its disks until the answer is called.
   * @param doing `disk0 is being committed`
   * @throws in-use
   */
  reserve(doing: string): () => void {
    this.requireUnreserved()
    this.reservedFor = doing
    return () => (this.reservedFor = null)
  }

  /** @throws in-use */
  requireUnreserved(): void {
    if (this.reservedFor === null) return
    throw failure('in-use', `“${this.name}” cannot be had now: ${this.reservedFor}.`, { what: `machine ${this.name}`, next: 'Wait until that is done; see the tasks.' })
  }

  /** Fulfilled when no QEMU runs it. */
  get whenOff(): Promise<void> {
    return this.off
  }

  async measureDisks(): Promise<void> {
    const bytes = await allocatedBytes(this.paths.disks)
    if (bytes === this.diskBytes) return
    this.diskBytes = bytes
    this.onDidChange(this)
  }

  apply(event: MachineEvent): void {
    const before = this.state
    this.state = nextState(before, event, Date.now())
    if (this.state !== before) this.onDidChange(this)
  }

  /** The definition was changed and saved, or is saved with its next change. */
  redefine(definition: MachineDefinition): void {
    this.definition = definition
    this.onDidChange(this)
  }

  /**
   * Starts QEMU. @param prepare finds out, and starts, what the command line needs
   * @param standby one that was started beforehand: taken if it is just what this start would bring, and ended otherwise
   * @throws wrong-state, in-use, qemu-exited, missing-program, cancelled
   */
  async start(work: Work, prepare: (signal: AbortSignal) => Promise<LaunchContext>, standby: StandbyQemu | null = null): Promise<void> {
    requireState(this.name, this.state, ['created', 'stopped', 'crashed'], 'started')
    this.requireUnreserved()
    const before = this.state
    this.apply({ kind: 'start-requested' })
    try {
      work.phase('starting QEMU')
      const context = await prepare(work.signal)
      this.agentUnasked = context.incoming !== null
      const qemu = (await standby?.takeOver(this.definition, context)) ?? (await launchQemu(this.definition, context, work.signal))
      await this.attach(qemu)
    } catch (error) {
      this.state = before
      this.onDidChange(this)
      throw error
    }
  }

  /** Takes charge of a QEMU that runs, started or found running. */
  async attach(qemu: Qemu): Promise<void> {
    this.qemu = qemu
    this.console = new SerialConsole(this.paths.consoleLog, qemu.runtime.serial)
    this.off = qemu.exited.then((facts) => this.ended(facts, qemu.record.startedAtMs))
    const { qmp } = qemu
    qmp.onEvent('STOP', () => void this.notePause(qemu))
    qmp.onEvent('RESUME', () => {
      this.apply({ kind: 'resumed' })
      if (this.agentUnasked) void this.askAgent(qemu)
    })
    qmp.onEvent('VSERPORT_CHANGE', (data) => {
      if (data.id === 'agent-port' && !this.agentUnasked) this.noteAgent(data.open)
    })
    this.trimTimer = setInterval(() => void this.console?.trim().catch(() => {}), TRIM_INTERVAL_MS).unref()
    const { running, reason } = await whetherRunning(qmp)
    const ports = await qmp.execute('query-chardev')
    this.agentAnswers = !this.agentUnasked && ports.some((port) => port.label === 'agent' && port['frontend-open'])
    this.apply({ kind: 'launched', pid: qemu.record.pid, sinceMs: qemu.record.startedAtMs, paused: running ? null : reason })
  }

  /** Waits until the guest agent answers. @throws qemu-exited, time-out, cancelled */
  async waitForAgent(work: Work, timeoutMs: number): Promise<void> {
    work.phase('waiting for the guest agent')
    const qemu = this.live('waited for')
    const deadlineMs = Date.now() + timeoutMs
    const changed = new AbortController()
    const unsubscribe = qemu.qmp.onEvent('VSERPORT_CHANGE', () => changed.abort())
    try {
      for (let pauseMs = AGENT_TRY_MS; ; pauseMs = Math.min(AGENT_TRY_LONGEST_MS, pauseMs * 1.3)) {
        if (work.signal.aborted) throw cancelled()
        if (this.qemu !== qemu) throw failure('wrong-state', `“${this.name}” ended before its guest agent answered.`, { name: this.name, state: this.state.kind })
        if (this.agentAnswers && (await this.agentThere(qemu, work.signal))) return
        if (Date.now() > deadlineMs) {
          throw failure('time-out', `The guest agent of “${this.name}” did not answer within ${timeoutMs / 1000} s; the machine runs on.`, { waitedMs: timeoutMs })
        }
        await delay(pauseMs, undefined, { signal: AbortSignal.any([work.signal, changed.signal]) }).catch(() => {}) // woken early
      }
    } finally {
      unsubscribe()
    }
  }

  private async agentThere(qemu: Qemu, signal: AbortSignal): Promise<boolean> {
    try {
      await qemu.agent.ping({ signal, timeoutMs: 1000 })
      return true
    } catch {
      return false // not yet: the caller has a deadline
    }
  }

  /**
   * Asks the guest to power off: its agent, or the ACPI power button until there is one; waits until QEMU has ended.
   * @throws time-out when the guest has not powered off by then: it may still, and force is on offer
   */
  async stop(work: Work, timeoutMs: number): Promise<void> {
    requireState(this.name, this.state, ['running', 'paused', 'stopping'], 'stopped')
    const qemu = this.live('stopped')
    const deadlineMs = Date.now() + timeoutMs
    work.phase('asking the guest to power off')
    if (this.state.kind === 'paused') await qemu.qmp.execute('cont')
    const askedBy = (await this.askAgentToPowerOff(qemu, work.signal)) ? 'agent' : 'acpi'
    if (askedBy === 'acpi') await qemu.qmp.execute('system_powerdown')
    work.log(askedBy === 'agent' ? 'The guest agent was asked to power off.' : 'The ACPI power button was pressed.')
    this.apply({ kind: 'stop-requested', askedBy, deadlineMs })
    // A guest that is still booting may not see the button: its agent is asked as soon as it is there.
    const unsubscribe = qemu.qmp.onEvent('VSERPORT_CHANGE', ({ id, open }) => {
      if (askedBy === 'acpi' && id === 'agent-port' && open) void this.askAgentToPowerOff(qemu, work.signal)
    })
    const over = new AbortController()
    const waited = delay(Math.max(0, deadlineMs - Date.now()), 'overdue', { signal: AbortSignal.any([work.signal, over.signal]) }).catch(() => 'cancelled')
    const outcome = await Promise.race([this.off.then(() => 'off'), waited])
    over.abort()
    unsubscribe()
    if (outcome === 'off') return
    if (outcome === 'cancelled') {
      this.apply({ kind: 'stop-withdrawn' })
      throw cancelled()
    }
    this.apply({ kind: 'stop-overdue' })
    throw failure('time-out', `“${this.name}” has not powered off within ${timeoutMs / 1000} s.`, {
      waitedMs: timeoutMs,
      next: 'It may still do so. To end it at once, stop it with force: what the guest has not written is lost.'
    })
  }

  /** Ends QEMU at once, like pulling the plug. */
  async forceOff(endUnreachable: () => Promise<void>): Promise<void> {
    if (this.state.kind === 'unreachable') return endUnreachable()
    const qemu = this.live('stopped')
    this.apply({ kind: 'stop-requested', askedBy: 'force', deadlineMs: Date.now() })
    qemu.kill()
    await this.off
  }

  async pause(): Promise<void> {
    requireState(this.name, this.state, ['running'], 'paused')
    await this.live('paused').qmp.execute('stop')
    await this.notePause(this.live('paused'))
  }

  async resume(): Promise<void> {
    requireState(this.name, this.state, ['paused'], 'resumed')
    await this.live('resumed').qmp.execute('cont')
    this.apply({ kind: 'resumed' })
  }

  async reset(): Promise<void> {
    await this.live('reset').qmp.execute('system_reset')
    this.noteAgent(false)
  }

  /** The serial console, of a machine that is off what it printed last. */
  async openConsole(fromByte: number): Promise<Duplex> {
    return this.console ? this.console.open(fromByte) : openPastConsole(this.paths.consoleLog, fromByte)
  }

  /** Lets go of QEMU: it runs on, and the next owner of the library finds it. */
  release(): void {
    this.released = true
    this.qemu?.release()
    this.console?.release()
    if (this.trimTimer) clearInterval(this.trimTimer)
  }

  /** QEMU is gone: that is recorded first, so that it can be told after the library was opened again. */
  async noteExit(ended: Omit<ExitRecord, 'schemaVersion'>): Promise<void> {
    await writeExitRecord(this.paths.exit, ended).catch(() => {}) // a full disk: told until the library is closed
    await removeFile(this.paths.run).catch(() => {}) // read again at the next opening, and seen to be over
    this.apply({ kind: 'exited', exit: ended.exit, expected: ended.expected })
  }

  private async askAgentToPowerOff(qemu: Qemu, signal: AbortSignal): Promise<boolean> {
    if (!this.agentAnswers) return false
    try {
      await qemu.agent.shutdown({ timeoutMs: AGENT_SHUTDOWN_TIMEOUT_MS, signal })
      return true
    } catch {
      return false // then the power button
    }
  }

  private async notePause(qemu: Qemu): Promise<void> {
    const { status, running, reason } = await whetherRunning(qemu.qmp).catch(() => ({ status: 'shutdown' as const, running: true, reason: '' }))
    if (!running && status !== 'shutdown') this.apply({ kind: 'paused', reason })
  }

  /** Asks QEMU how it stands, where its events may have come in another order than its answers. */
  async levelState(): Promise<void> {
    const { running, reason } = await whetherRunning(this.live('asked').qmp)
    if (running) this.apply({ kind: 'resumed' })
    else this.apply({ kind: 'paused', reason })
  }

  /** Of a guest that goes on from a snapshot. */
  private async askAgent({ agent }: Qemu): Promise<void> {
    try {
      await agent.waitUntilReady({ timeoutMs: AGENT_ASK_TIMEOUT_MS })
      this.noteAgent(true)
    } catch (error) {
      if (!(error instanceof Failure)) throw error // it has none, or has ended: then it stays as it is shown
    } finally {
      this.agentUnasked = false
    }
  }

  /** Whether the agent answers was found out. */
  noteAgent(answers: boolean): void {
    if (this.agentAnswers === answers) return
    this.agentAnswers = answers
    this.onDidChange(this)
  }

  private async ended(facts: Awaited<Qemu['exited']>, startedAtMs: number): Promise<void> {
    if (this.released) return
    const described = await describeExit(facts, this.paths.qemuLog)
    this.console?.finish()
    this.console = null
    this.qemu = null
    this.agentAnswers = null
    if (this.trimTimer) clearInterval(this.trimTimer)
    await this.noteExit({ startedAtMs, ...described })
    await this.measureDisks()
  }
}

/** How QEMU stands, and why in words where it is paused. What its devices say comes first: nothing lies between the state and who is told. */
async function whetherRunning(qmp: QmpSession): Promise<{ status: RunState; running: boolean; reason: string }> {
  const [devices, { status, running }] = await Promise.all([qmp.execute('query-block'), qmp.execute('query-status')])
  const full = status === 'io-error' && devices.some((device) => device['io-status'] === 'nospace')
  return { status, running, reason: full ? FULL_DISK : (PAUSE_REASONS[status] ?? 'paused') }
}
