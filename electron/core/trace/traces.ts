import { failure, type ParsedInputOf, type Trace } from '#contract'
import { setTimeout as delay } from 'node:timers/promises'
import type { ManagedMachine } from '../machine/machine'
import type { Machines } from '../machine/machines'
import { endForeignWatch, Xray } from './xray'

/** A viewer that has not looked for so long has gone without a word: its window was closed, or killed. */
const VIEWER_GONE_MS = 10_000

interface Looked {
  xray: Promise<Xray>
  /** When each was last there. One without a name stays until it says that it goes. */
  viewers: Map<string, number>
  timer: NodeJS.Timeout
}

/** The machines that are being looked into. Any number of viewers share one X-ray; it ends with the last of them. */
export class Traces {
  private readonly looked = new Map<string, Looked>()
  /** Why the last X-ray of a machine ended, if that was no end that anybody wanted. */
  private readonly failed = new Map<string, unknown>()

  constructor(private readonly machines: Machines) {}

  /** At the opening of a library: what an owner before left on is turned off. */
  async tidy(): Promise<void> {
    // A machine whose monitor cannot be had, or that is just ending, is left alone: its trace log goes with it.
    await Promise.allSettled(this.machines.all().filter(({ state }) => 'pid' in state).map(async (machine) => endForeignWatch(machine.live('looked into'))))
  }

  async start(input: ParsedInputOf<'trace.start'>): Promise<Trace> {
    const machine = this.machines.get(input.machine)
    const looked = this.looked.get(machine.definition.id) ?? this.begin(machine)
    looked.viewers.set(input.viewer ?? UNNAMED, Date.now())
    return (await looked.xray).show()
  }

  async show(input: ParsedInputOf<'trace.show'>, signal: AbortSignal): Promise<Trace> {
    if (input.seconds !== undefined) return this.lookFor(input.machine, input.seconds, signal)
    const machine = this.machines.get(input.machine)
    const looked = this.looked.get(machine.definition.id)
    if (this.failed.has(machine.definition.id)) throw this.failed.get(machine.definition.id)
    if (!looked) {
      throw failure('wrong-state', `“${machine.name}” is not being looked into.`, { name: machine.name, state: 'no X-ray', next: 'Start its X-ray first, or say for how many seconds to look.' })
    }
    if (input.viewer !== undefined) looked.viewers.set(input.viewer, Date.now())
    return (await looked.xray).show()
  }

  async stop(input: ParsedInputOf<'trace.stop'>): Promise<{ machine: string; ended: boolean }> {
    const machine = this.machines.get(input.machine)
    const looked = this.looked.get(machine.definition.id)
    if (!looked) return { machine: machine.name, ended: true }
    if (input.viewer === undefined) looked.viewers.clear()
    else looked.viewers.delete(input.viewer)
    if (looked.viewers.size > 0) return { machine: machine.name, ended: false }
    await this.end(machine.definition.id, looked)
    return { machine: machine.name, ended: true }
  }

  /** The library is given up: QEMU goes on, and is no longer watched. */
  async close(): Promise<void> {
    await Promise.all([...this.looked].map(([id, looked]) => this.end(id, looked)))
  }

  private async lookFor(reference: string, seconds: number, signal: AbortSignal): Promise<Trace> {
    const viewer = `for ${seconds} s, ${performance.now()}`
    const machine = this.machines.get(reference)
    const before = await this.start({ machine: reference, viewer })
    const looked = this.looked.get(machine.definition.id)
    const xray = await looked?.xray
    try {
      const deadline = Date.now() + seconds * 1000
      while (Date.now() < deadline && !signal.aborted && xray && !xray.isOver) {
        looked!.viewers.set(viewer, Date.now())
        await delay(Math.min(250, deadline - Date.now()), undefined, { signal }).catch(() => {}) // the library is being closed
      }
      return xray?.show() ?? before
    } finally {
      await this.stop({ machine: reference, viewer })
    }
  }

  private begin(machine: ManagedMachine): Looked {
    const { id } = machine.definition
    const xray = Xray.begin(machine)
    const looked: Looked = { xray, viewers: new Map(), timer: setInterval(() => void this.dropGone(id, looked), VIEWER_GONE_MS / 4).unref() }
    this.looked.set(id, looked)
    const forget = (): void => {
      clearInterval(looked.timer)
      if (this.looked.get(id) === looked) this.looked.delete(id)
    }
    this.failed.delete(id)
    const broken = (error: unknown): void => {
      this.failed.set(id, error)
      forget()
    }
    // One that could not begin is told to whoever asked for it; one that broke, to whoever looks next.
    xray.then((begun) => begun.ended.then(forget, broken), forget)
    return looked
  }

  private async dropGone(id: string, looked: Looked): Promise<void> {
    for (const [viewer, atMs] of looked.viewers) {
      if (viewer !== UNNAMED && Date.now() - atMs > VIEWER_GONE_MS) looked.viewers.delete(viewer)
    }
    if (looked.viewers.size === 0) await this.end(id, looked)
  }

  private async end(id: string, looked: Looked): Promise<void> {
    if (this.looked.get(id) === looked) this.looked.delete(id)
    clearInterval(looked.timer)
    const xray = await looked.xray.catch(() => null) // it never began: told to whoever asked for it
    await xray?.end()
  }
}

const UNNAMED = ''
