import { setTimeout as delay } from 'node:timers/promises'
import type { Socket } from 'node:net'
import { z } from 'zod'
import { failure, type Failure } from '#contract'
import { ensurePrivateFolder, exists, removeFile } from '../host/files'
import { nativeFile } from '../host/native-files'
import { spawnDetached } from '../host/process'
import { checkSocketPath, connectUnix, waitForSocket } from '../host/socket'
import type { RelayPaths } from '../library/paths'
import { lastLines } from '../machine/exit'
import { JsonLines } from '../qmp/framing'
import { throwIfCancelled } from '../task/work'

const LAUNCH_TIMEOUT_MS = 10_000
const END_TIMEOUT_MS = 5_000
/** One that waits for an exporter's answer tells a moment later. */
const TELLS_WITHIN_MS = 500
const READY_TIMEOUT_MS = 5_000
const LOOK_MS = 3
const LINE_LIMIT_BYTES = 4096

/** What a relay tells of itself. Source: native/share/relay.c, tell. */
const RelayState = z.object({
  pid: z.number().int(),
  /** A client is connected to it. */
  client: z.boolean(),
  /** It is connected to whoever serves. */
  exporter: z.boolean(),
  /** Requests that were under way when whoever served them ended, and that it has put where the next one finds them, in all. */
  moved: z.number().int(),
  /** Some may have been lost since the guest's driver began: too much had happened since it last had time to look. */
  unsure: z.boolean()
})
export type RelayState = z.output<typeof RelayState>

/**
 * Stands between a client's QEMU and whoever serves it over vhost-user-blk (native/share/relay.c): keeps account of what is under way, so that nothing
 * is lost when who serves changes or is killed, and lets nothing through that would end an exporter. It is a process of its own, which outlives the app as QEMU does.
 */
export class Relay {
  private current: RelayState | null = null
  private released = false
  /** Fulfilled when it has ended, by whatever; never after `release`. */
  readonly ended: Promise<void>
  /** Fulfilled when it has told its state for the first time. */
  private readonly told: Promise<void>

  private constructor(
    readonly paths: RelayPaths,
    private readonly socket: Socket,
    onDidChange: () => void
  ) {
    let tell = (): void => {}
    this.told = new Promise((resolve) => (tell = resolve))
    const lines = new JsonLines('the relay', { limitBytes: LINE_LIMIT_BYTES })
    socket.on('data', (bytes: Buffer) => {
      try {
        lines.push(bytes, (line) => {
          this.current = RelayState.parse(line)
          tell()
          onDidChange()
        })
      } catch {
        socket.destroy() // somebody else at its socket: it is begun anew
      }
    })
    this.ended = new Promise((resolve) => socket.once('close', () => this.released || resolve()))
  }

  /** Starts one. It listens for the client as soon as it has met whoever serves. @throws unsupported (it has not been built), program-failed (with its words), time-out, file */
  static async launch(paths: RelayPaths, onDidChange: () => void): Promise<Relay> {
    await ensurePrivateFolder(paths.root)
    for (const path of [paths.client, paths.exporter, paths.observer]) checkSocketPath(path)
    await removeFile(paths.observer)
    const started = await spawnDetached(nativeFile('relay'), [paths.client, paths.exporter, paths.observer, paths.account], { logFile: paths.log })
    const gone = new AbortController()
    void started.exited.then(() => gone.abort())
    try {
      return new Relay(paths, await waitForSocket(paths.observer, { signal: gone.signal, timeoutMs: LAUNCH_TIMEOUT_MS }), onDidChange)
    } catch (error) {
      throw gone.signal.aborted ? await explained(paths, (await started.exited).exitCode) : error
    }
  }

  /** Finds one that an earlier owner of the library started. @returns null: there is none */
  static async adopt(paths: RelayPaths, onDidChange: () => void): Promise<Relay | null> {
    if (!(await exists(paths.observer))) return null
    const socket = await connectUnix(paths.observer).catch(() => null) // it has ended
    if (!socket) return null
    const relay = new Relay(paths, socket, onDidChange)
    await Promise.race([relay.told, relay.ended, delay(TELLS_WITHIN_MS, undefined, { ref: false })])
    return relay
  }

  /** As it was last told; null: it has just begun. */
  get state(): RelayState | null {
    return this.current
  }

  /** Waits until a client can connect. @throws wrong-state (nobody serves), cancelled */
  async ready(signal: AbortSignal): Promise<void> {
    const deadlineMs = performance.now() + READY_TIMEOUT_MS
    while (!this.current?.exporter) {
      throwIfCancelled(signal)
      if (performance.now() > deadlineMs) throw failure('wrong-state', 'Nobody serves the shared disk now.', { name: this.paths.client, state: 'not served', next: 'Try again in a moment.' })
      await delay(LOOK_MS)
    }
  }

  /** Ends it, and takes its sockets away. One that does not end at once serves nobody any more, and ends when it can. */
  async end(): Promise<void> {
    this.socket.write('end\n')
    await Promise.race([this.ended, delay(END_TIMEOUT_MS, undefined, { ref: false })])
    this.socket.destroy()
    for (const path of [this.paths.client, this.paths.observer, this.paths.account]) await removeFile(path)
  }

  /** Lets go of it: it runs on. */
  release(): void {
    this.released = true
    this.socket.destroy()
  }
}

/** The log is that of all relays of the share: what keeps one from starting names a file of its own. */
async function explained(paths: RelayPaths, exitCode: number | null): Promise<Failure> {
  const words = (await lastLines(paths.log)).filter((line) => line.includes(paths.account) || line.includes(paths.observer)).slice(-1)
  return failure('program-failed', 'The relay between the shared disk and its client could not start.', { program: 'relay', exitCode, cause: words })
}

/** The relays of a share: one for each client over vhost-user-blk that has the disk, or is just getting it. */
export class Relays {
  private readonly relays = new Map<string, Relay>()
  /** Why a machine has none that is to have one. */
  private readonly failures = new Map<string, unknown>()

  /** @param onDidChange one tells something new, or has ended by itself */
  constructor(
    private readonly paths: (machineId: string) => RelayPaths,
    private readonly onDidChange: () => void
  ) {}

  of(machineId: string): Relay | null {
    return this.relays.get(machineId) ?? null
  }

  /** Takes over those that an earlier owner of the library left running. */
  async recall(machineIds: readonly string[]): Promise<void> {
    for (const id of machineIds) {
      const relay = await Relay.adopt(this.paths(id), this.onDidChange)
      if (relay) this.employ(id, relay)
    }
  }

  /** @throws what `launch` threw */
  require(machineId: string): Relay {
    const relay = this.relays.get(machineId)
    if (!relay) throw this.failures.get(machineId)
    return relay
  }

  /** Has one for each of these machines, and no other. It never fails: see `require`. */
  async level(machineIds: readonly string[]): Promise<void> {
    this.failures.clear()
    for (const [id, relay] of this.relays) {
      // A client that is to come finds it by its socket, which somebody may have deleted.
      const lost = relay.state?.client === false && relay.state.exporter && !(await exists(relay.paths.client))
      if (machineIds.includes(id) && !lost) continue
      this.relays.delete(id)
      await relay.end()
    }
    for (const id of machineIds) {
      if (this.relays.has(id)) continue
      try {
        const paths = this.paths(id)
        this.employ(id, (await Relay.adopt(paths, this.onDidChange)) ?? (await Relay.launch(paths, this.onDidChange)))
      } catch (error) {
        this.failures.set(id, error)
      }
    }
  }

  release(): void {
    for (const relay of this.relays.values()) relay.release()
  }

  private employ(machineId: string, relay: Relay): void {
    this.relays.set(machineId, relay)
    void relay.ended.then(() => {
      if (this.relays.get(machineId) !== relay) return // it was told to
      this.relays.delete(machineId)
      this.onDidChange()
    })
  }
}
