import { z } from 'zod'
import { Failure, type Event, type Machine } from '#contract'
import type { Core } from '#core/core'
import { readJson, writeJsonAtomic } from '#core/host/files'

/** Something that listens, and can be closed. */
export interface Listening {
  port: number
  close(): Promise<void>
}

const Record = z.object({ schemaVersion: z.literal(1), ports: z.record(z.string(), z.number()) })

export interface ControlPortsOptions {
  /** Remembers the ports, so that the next owner listens on the same ones: the machines run on. */
  file: string
  /** @param port 0 takes a free one */
  listen: (machineId: string, port: number) => Promise<Listening>
}

/**
 * Control ports of machines that were made by `POST /create`: on its port a machine is reached without being named. A port is open while the
 * machine runs.
 */
export class ControlPorts {
  private readonly open = new Map<string, Listening>()
  private last: Promise<unknown> = Promise.resolve()
  private readonly unsubscribe: () => void

  constructor(
    private readonly core: Core,
    private readonly options: ControlPortsOptions
  ) {
    this.unsubscribe = core.onEvent((event) => this.hear(event))
  }

  /** Listens again for the machines that still run. */
  async recall(): Promise<void> {
    const record = await readJson(this.options.file, Record).catch(() => null) // none, or cut off: ports are asked for anew
    const listed = await this.core.call('machine.list', {})
    if (!record || !listed.ok) return
    for (const { id, state } of listed.value as Machine[]) {
      const port = record.ports[id]
      if (port === undefined || !('pid' in state)) continue
      const listening = await this.options.listen(id, port).catch((error: unknown) => {
        if (error instanceof Failure) return null // somebody else has the port now: the machine has none any more
        throw error
      })
      if (listening) this.open.set(id, listening)
    }
    await this.save()
  }

  /** The port of a machine; opened when it has none. @throws unsupported */
  portOf(machineId: string): Promise<number> {
    return this.inTurn(async () => {
      const found = this.open.get(machineId) ?? (await this.options.listen(machineId, 0))
      this.open.set(machineId, found)
      await this.save()
      return found.port
    })
  }

  /** Whose port it is. */
  machineAt(port: number): string | null {
    return [...this.open].find(([, listening]) => listening.port === port)?.[0] ?? null
  }

  async close(): Promise<void> {
    this.unsubscribe()
    await this.last
    await Promise.all([...this.open.values()].map((listening) => listening.close()))
    this.open.clear()
  }

  private hear(event: Event): void {
    const ended = event.kind === 'machine-removed' ? event.id : event.kind === 'machine-changed' && ['stopped', 'crashed'].includes(event.machine.state.kind) ? event.machine.id : null
    if (ended === null || !this.open.has(ended)) return
    void this.inTurn(async () => {
      await this.open.get(ended)?.close()
      this.open.delete(ended)
      await this.save()
    }).catch(() => {}) // a full disk: the port is tried again at the next opening, and found to be nobody's
  }

  private save(): Promise<void> {
    return writeJsonAtomic(this.options.file, { schemaVersion: 1, ports: Object.fromEntries([...this.open].map(([id, { port }]) => [id, port])) })
  }

  private inTurn<T>(act: () => Promise<T>): Promise<T> {
    const mine = this.last.then(act)
    this.last = mine.catch(() => {}) // told to whoever asked
    return mine
  }
}
