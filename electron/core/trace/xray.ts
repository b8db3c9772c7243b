import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Failure, failure, type Trace, type TraceEvent, type TraceSample } from '#contract'
import type { ManagedMachine } from '../machine/machine'
import type { Qemu } from '../machine/qemu'
import { WATCHED, WATCHED_EXAMPLE } from './log-lines'
import { TraceLog } from './trace-log'

const TICK_MS = 250
/**
 * Events a tick up to which QEMU is watched all the time. One costs it about 3 us: 1000 in 250 ms are 1.2 % of a processor. Above that it is
 * watched through windows, and what is seen is taken for the whole.
 */
const MOST_EVENTS = 1000
/** In a tick it is looked so often whether the guest has become that busy: a burst is not watched to the end of the tick. */
const BURST_MS = 50
/** About what an event takes in the log. */
const EVENT_BYTES = 75
const WINDOW_MS = 8
const WINDOW_EVERY_MS = 500
/**
 * Of the time windows take at most this share, from the command that opens one to the answer that it is closed: a busy QEMU takes its time for
 * both, and is watched meanwhile. If it did nothing else in a window, the guest would lose no more than that.
 */
const MOST_SHARE = 0.02
/** But what is shown is never older than this. */
const WINDOW_AT_LEAST_EVERY_MS = 2000
const KEPT_SAMPLES = 120
const KEPT_EVENTS = 200
const GUEST_EVERY_TICKS = 2

type Guest = Trace['guest'][number]

/** Looks at one running machine, until it is ended or its QEMU ends. */
export class Xray {
  private readonly sinceMs = Date.now()
  private readonly samples: TraceSample[] = []
  private readonly events: TraceEvent[] = []
  private readonly stop = new AbortController()
  private lastEvent = 0
  private sampled = false
  private watching = false
  /** When what is in the tally and not yet in a sample begins. */
  private fromMs = performance.now()
  /** What the last window took, its opening and closing included. */
  private windowTookMs = WINDOW_MS
  private guestBefore = new Map<string, Guest>()
  private guestNow: Guest[] = []
  private readonly unsubscribe: () => void
  private tellBegun!: () => void
  /** Settled when QEMU is watched, or never will be. */
  private readonly begun = new Promise<void>((resolve) => (this.tellBegun = resolve))
  /** Settled when it has ended, and QEMU is no longer watched. */
  ended: Promise<void> = Promise.resolve()

  private constructor(
    private readonly machine: ManagedMachine,
    private readonly qemu: Qemu,
    private readonly log: TraceLog
  ) {
    this.unsubscribe = qemu.qmp.onEvent('JOB_STATUS_CHANGE', ({ id, status }) => this.noteJob(id, status))
  }

  /** @throws wrong-state (off, or started without what it takes), unsupported (this QEMU was built without trace events) */
  static async begin(machine: ManagedMachine): Promise<Xray> {
    const qemu = machine.live('looked into')
    const [state] = await qemu.qmp.execute('trace-event-get-state', { name: WATCHED_EXAMPLE })
    if (!state || state.state === 'unavailable') {
      throw failure('unsupported', 'This QEMU was built without trace events.', { next: 'Install a QEMU that has them; Debian’s and Ubuntu’s do.' })
    }
    const log = await TraceLog.open(qemu.runtime).catch((error: unknown) => {
      if (!(error instanceof Failure) || error.error.code !== 'not-found') throw error
      throw failure('wrong-state', `“${machine.name}” was started by a version of Strata that could not look into it.`, {
        name: machine.name,
        state: machine.state.kind,
        next: 'Stop it and start it again.'
      })
    })
    log.tally.take(await log.readOn()) // what has been opened so far
    log.tally.sample(0, []) // what another owner of the library looked at is not ours
    const xray = new Xray(machine, qemu, log)
    xray.ended = xray.run()
    await xray.begun
    return xray
  }

  get isOver(): boolean {
    return this.stop.signal.aborted
  }

  async end(): Promise<void> {
    this.stop.abort()
    await this.ended
  }

  show(): Trace {
    const { definition, name } = this.machine
    return {
      machineId: definition.id,
      machine: name,
      sinceMs: this.sinceMs,
      atMs: Date.now(),
      sampled: this.sampled,
      guest: this.guestNow,
      files: this.chains().flatMap((chain) => chain.map(({ disk, path, nodeName }) => ({ path, disk, nodeName, ...this.log.tally.total(path) }))),
      samples: this.samples,
      events: this.events
    }
  }

  private async run(): Promise<void> {
    const { qmp } = this.qemu
    void qmp.closed.then(() => this.stop.abort())
    try {
      await this.readGuest()
      await this.watch(true)
      this.fromMs = performance.now()
      this.tellBegun()
      for (let tick = 1; !this.isOver; tick++) {
        const share = this.sampled ? await this.lookThroughWindow() : await this.lookAllTheTime()
        const lines = await this.log.readOn()
        this.takeIn(lines, share)
        if (tick % GUEST_EVERY_TICKS === 0) await this.readGuest()
        await this.log.trim()
      }
    } catch (error) {
      if (!isLost(error)) throw error // QEMU has ended
    } finally {
      this.stop.abort()
      this.tellBegun()
      this.unsubscribe()
      await this.watch(false).catch(() => {}) // QEMU has ended
      await this.log.close()
    }
  }

  /** @returns the share of the time that QEMU was watched */
  private async lookAllTheTime(): Promise<number> {
    if (!this.watching) {
      await this.watch(true)
      this.fromMs = performance.now()
    }
    const untilMs = performance.now() + TICK_MS
    do await this.pass(BURST_MS)
    while (!this.isOver && performance.now() < untilMs && (await this.log.unreadBytes()) < MOST_EVENTS * EVENT_BYTES)
    return 1
  }

  private async lookThroughWindow(): Promise<number> {
    if (this.watching) {
      await this.watch(false)
      this.takeIn(await this.log.readOn(), 1)
    }
    await this.pass(pauseBetweenWindows(this.windowTookMs))
    const beganMs = performance.now()
    const openedMs = await this.timeOf(() => this.watch(true))
    await delay(WINDOW_MS)
    const closedMs = await this.timeOf(() => this.watch(false))
    this.windowTookMs = performance.now() - beganMs
    return (closedMs - openedMs) / (performance.now() - this.fromMs)
  }

  /** About when QEMU did something: between the question and the answer. */
  private async timeOf(act: () => Promise<void>): Promise<number> {
    const askedMs = performance.now()
    await act()
    return (askedMs + performance.now()) / 2
  }

  private takeIn(lines: readonly string[], share: number): void {
    const { opened, events } = this.log.tally.take(lines)
    for (const { path, format } of opened) this.note('open', format === 'file' ? `opened the file ${basename(path)}` : `opened ${basename(path)} as ${format}`)
    const now = performance.now()
    const lengthMs = now - this.fromMs
    this.fromMs = now
    const files = this.log.tally.sample(1 / share, this.chains().map((chain) => chain.map(({ path }) => path)))
    this.samples.push({ atMs: Date.now(), lengthMs: Math.round(lengthMs), estimated: share < 1, files })
    if (this.samples.length > KEPT_SAMPLES) this.samples.shift()
    const perTick = (events / share / lengthMs) * TICK_MS
    // Not back and forth: what is a little below the limit stays as it is.
    this.sampled = perTick > (this.sampled ? MOST_EVENTS / 2 : MOST_EVENTS)
  }

  /**
   * Turns the events on or off. All commands are sent at once: QEMU does them one after the other. Those of reads and writes, which are most, are on
   * for the shortest time.
   */
  private async watch(enable: boolean): Promise<void> {
    await Promise.all((enable ? WATCHED.toReversed() : WATCHED).map((name) => this.qemu.qmp.execute('trace-event-set-state', { name, enable, 'ignore-unavailable': true })))
    this.watching = enable
  }

  private async pass(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.stop.signal }).catch(() => {}) // ended meanwhile: the loop sees it
  }

  /** What devices were asked for, as QEMU counts it, less what it was at first. */
  private async readGuest(): Promise<void> {
    const devices = await this.qemu.qmp.execute('query-blockstats')
    this.guestNow = this.machine.definition.disks.flatMap(({ id }) => {
      const stats = devices.find((device) => device.qdev?.includes(`/${id}-device`))?.stats
      if (!stats) return []
      const now: Guest = { disk: id, reads: stats.rd_operations, readBytes: stats.rd_bytes, writes: stats.wr_operations, writtenBytes: stats.wr_bytes, flushes: stats.flush_operations }
      const before = this.guestBefore.get(id) ?? now
      this.guestBefore.set(id, before)
      return [{ disk: id, reads: now.reads - before.reads, readBytes: now.readBytes - before.readBytes, writes: now.writes - before.writes, writtenBytes: now.writtenBytes - before.writtenBytes, flushes: now.flushes - before.flushes }]
    })
  }

  /** The files of each disk as they are now, from the active layer down. */
  private chains(): { disk: string; path: string; nodeName: string }[][] {
    const { definition, paths } = this.machine
    return definition.disks.map((disk) => [
      ...disk.layers.map((layer) => ({ disk: disk.id, path: paths.disk(layer.file), nodeName: layer.nodeName })),
      ...(disk.image ? [{ disk: disk.id, path: disk.image.path, nodeName: `${disk.id}-image` }] : [])
    ])
  }

  private noteJob(id: string, status: string): void {
    const words = { created: 'began', ready: 'has caught up with the guest', concluded: 'ended' }[status]
    if (words) this.note('job', `block job ${id} ${words}`)
  }

  private note(kind: TraceEvent['kind'], text: string): void {
    this.events.push({ number: ++this.lastEvent, atMs: Date.now(), kind, text })
    if (this.events.length > KEPT_EVENTS) this.events.shift()
  }
}

/** How long QEMU is left alone after a window that took so long, in milliseconds: never less than it was watched. */
export function pauseBetweenWindows(tookMs: number): number {
  const everyMs = Math.min(WINDOW_AT_LEAST_EVERY_MS, Math.max(WINDOW_EVERY_MS, tookMs / MOST_SHARE))
  return Math.max(tookMs, everyMs - tookMs)
}

const isLost = (error: unknown): boolean => error instanceof Failure && error.error.code === 'connection-lost'

/** Turns off what an owner of the library that was killed left on. */
export async function endForeignWatch({ qmp }: Qemu): Promise<void> {
  await Promise.all(WATCHED.map((name) => qmp.execute('trace-event-set-state', { name, enable: false, 'ignore-unavailable': true })))
}
