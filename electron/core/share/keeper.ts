import type { DaemonPaths } from '../library/paths'
import { adoptDaemon, launchDaemon, type StorageDaemon } from './daemon'

/** A daemon that ends by itself is started again; one that does not last is not, until something changes. */
const SHORT_LIFE_MS = 5_000
const MOST_SHORT_LIVES = 3

/** Has a storage daemon serve a share, when one is wanted; there is one at a time. */
export class DaemonKeeper {
  private daemon: StorageDaemon | null = null
  private startedAtMs = 0
  private shortLives = 0

  /** @param onDidEnd it has ended by itself, or was killed */
  constructor(
    private readonly runtime: DaemonPaths,
    private readonly onDidEnd: () => void
  ) {}

  get current(): StorageDaemon | null {
    return this.daemon
  }

  /** Takes over the one that an earlier owner of the library left running. */
  async recall(): Promise<void> {
    const daemon = await adoptDaemon(this.runtime)
    if (daemon) this.employ(daemon)
  }

  /**
   * The one that runs, or a new one. @param node what it has open
   * @returns null when it has ended several times right after its start: asked again, it is tried again
   */
  async ensure(node: () => Promise<Record<string, unknown>>): Promise<StorageDaemon | null> {
    if (this.daemon) return this.daemon
    if (this.shortLives >= MOST_SHORT_LIVES) {
      this.shortLives = 0
      return null
    }
    this.startedAtMs = Date.now()
    const daemon = await launchDaemon(this.runtime, await node())
    this.employ(daemon)
    return daemon
  }

  /** @throws time-out (the system does not let it end: it is there still) */
  async dismiss(): Promise<void> {
    const { daemon } = this
    this.daemon = null
    this.shortLives = 0
    try {
      await daemon?.quit()
    } catch (error) {
      this.daemon = daemon
      throw error
    }
  }

  /** Lets go of it: it runs on. */
  release(): void {
    this.daemon?.release()
  }

  private employ(daemon: StorageDaemon): void {
    this.daemon = daemon
    void daemon.ended.then(() => {
      if (this.daemon !== daemon) return // it was dismissed
      this.daemon = null
      this.shortLives = Date.now() - this.startedAtMs < SHORT_LIFE_MS ? this.shortLives + 1 : 0
      this.onDidEnd()
    })
  }
}
