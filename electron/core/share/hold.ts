import type { Disk } from '#contract'
import type { DaemonPaths } from '../library/paths'
import type { StorageDaemon } from './daemon'
import { DaemonKeeper } from './keeper'

/** The node of a disk of which every request is an error. */
export const REFUSAL = 'refusal'
const EIO = 5
/** When it is tried again to answer at all. */
const TRY_AGAIN_MS = 1_000

/**
 * What clients ask for while nobody can serve them waits, by itself for ever: QEMU has no such time over vhost-user-blk, and over NBD none that can be
 * changed. Where it is not to wait so long, a storage daemon serves clients a disk of which every request is an error.
 */
export class Hold {
  private readonly refusers: DaemonKeeper
  private sinceMs: number | null = null

  /** @param onDidEnd the daemon has ended by itself, or was killed */
  constructor(runtime: DaemonPaths, onDidEnd: () => void) {
    this.refusers = new DaemonKeeper(runtime, onDidEnd)
  }

  /** What clients ask for is answered with errors. */
  get refusing(): boolean {
    return this.refusers.current !== null
  }

  /** Nobody can serve them. Where they got errors when the library was opened, they have waited long enough. */
  begin(): void {
    this.sinceMs ??= this.refusing ? 0 : Date.now()
  }
  /** They are served again, or there are none. */
  end(): void {
    this.sinceMs = null
  }
  /** Whether clients have waited long enough. @param seconds null: never */
  isOver(seconds: number | null): boolean {
    return this.leftMs(seconds) <= 0
  }
  /** When to look again, by itself; Infinity: never. */
  lookAgainMs(seconds: number | null): number {
    return this.refusing ? Infinity : Math.max(TRY_AGAIN_MS, this.leftMs(seconds))
  }
  private leftMs(seconds: number | null): number {
    return this.sinceMs === null || seconds === null ? Infinity : this.sinceMs + seconds * 1000 - Date.now()
  }

  /** @returns null when it does not last @throws what a storage daemon's start throws */
  refuser(disk: Disk): Promise<StorageDaemon | null> {
    return this.refusers.ensure(() => Promise.resolve(refusalOf(disk)))
  }
  /** Takes over the one that an earlier owner of the library left running. */
  recall(): Promise<void> {
    return this.refusers.recall()
  }
  release(): void {
    this.refusers.release()
  }
  dismiss(): Promise<void> {
    return this.refusers.dismiss()
  }
}

/**
 * As large as the disk, as clients do not expect another size. Without the errors of `block-status` QEMU's NBD server would end the connection at a read,
 * and the client ask again (nbd/server.c, nbd_co_send_sparse_read, QEMU 7.2). Sources: blkdebug and null-co, qapi/block-core.json.
 */
const refusalOf = ({ sizeBytes }: Disk): Record<string, unknown> => ({
  ...{ driver: 'blkdebug', 'node-name': REFUSAL, image: { driver: 'null-co', size: sizeBytes } },
  'inject-error': ['read', 'write', 'write-zeroes', 'discard', 'flush', 'block-status'].map((iotype) => ({ event: 'none', iotype, errno: EIO }))
})
