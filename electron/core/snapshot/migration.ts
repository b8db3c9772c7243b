import { setTimeout as delay } from 'node:timers/promises'
import { failure, Failure } from '#contract'
import type { MigrationCapability, MigrationInfo, MigrationStatus } from '../qmp/commands'
import type { QmpSession } from '../qmp/session'
import { cancelled } from '../task/work'

/** QEMU's default is 128 MiB/s. Its parameter is an unsigned 64-bit number of bytes a second. */
const NO_LIMIT = 2 ** 50
const END_TIMEOUT_MS = 5_000
const END_POLL_MS = 5
/** How often it is asked how far it is. */
const PROGRESS_MS = 50
const OVER: readonly (MigrationStatus | undefined)[] = ['completed', 'failed', 'cancelled']

/**
 * One migration of a QEMU into a socket, followed by its events.
 * Source: qapi/migration.json and migration/migration.c, QEMU 7.2.
 */
export class Migration {
  private readonly unsubscribe: () => void
  private status: MigrationStatus = 'setup'
  private changed: () => void = () => {}

  private constructor(
    private readonly qmp: QmpSession,
    private readonly capabilities: readonly MigrationCapability[]
  ) {
    this.unsubscribe = qmp.onEvent('MIGRATION', ({ status }) => {
      this.status = status
      this.changed()
    })
  }

  /**
   * Prepares one, and lets `act` start and follow it. Afterwards none is under way, however that ended; a guest that the migration stopped may stand still.
   * @throws qmp: it cannot be migrated so, with the reason; and what `act` throws
   */
  static async during<T>(qmp: QmpSession, capabilities: readonly MigrationCapability[], act: (migration: Migration) => Promise<T>): Promise<T> {
    const migration = new Migration(qmp, ['events', ...capabilities])
    let done: T
    try {
      await qmp.execute('migrate-set-parameters', { 'max-bandwidth': NO_LIMIT })
      await migration.setCapabilities(true)
      done = await act(migration)
    } catch (error) {
      await migration.close().catch(() => {}) // QEMU has ended: told by what failed
      throw error
    }
    await migration.close()
    return done
  }

  /** @param socket who takes the stream listens there @throws qmp: it cannot be migrated, with the reason */
  async start(socket: string): Promise<void> {
    await this.qmp.execute('migrate', { uri: `unix:${socket}` })
  }

  /**
   * Waits until it is so far, and tells how far it is meanwhile.
   * @param broken rejects when going on is of no use: nobody takes the stream any more
   * @throws program-failed (QEMU gave up, with its reason), cancelled, connection-lost, and what `broken` rejects with
   */
  async reach(wanted: MigrationStatus, { signal, progress }: { signal: AbortSignal; progress: (ratio: number) => void }, broken: Promise<never>): Promise<void> {
    const failed = broken.catch(async (error: unknown) => {
      const brokeOff = error instanceof Failure && error.error.code === 'protocol'
      throw (brokeOff ? await this.reason() : null) ?? error // a stream that breaks off has a reason, and QEMU may know it
    })
    failed.catch(() => {}) // told by the race below, or of no matter any more
    while (this.status !== wanted) {
      if (signal.aborted) throw cancelled()
      const info = await this.qmp.execute('query-migrate')
      if (info.status === wanted) return
      if (OVER.includes(info.status)) throw refused(info)
      if (info.ram && info.ram.total > 0) progress(1 - info.ram.remaining / info.ram.total)
      if (this.status !== wanted) await Promise.race([this.soon(), failed])
    }
  }

  private async close(): Promise<void> {
    this.unsubscribe()
    await endMigration(this.qmp)
    await this.setCapabilities(false)
  }

  /** Until QEMU tells something new, or for a moment. */
  private soon(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, PROGRESS_MS)
      this.changed = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  private async reason(): Promise<Failure | null> {
    const info = await this.qmp.execute('query-migrate')
    return info.status === 'failed' ? refused(info) : null
  }

  private async setCapabilities(state: boolean): Promise<void> {
    await this.qmp.execute('migrate-set-capabilities', { capabilities: this.capabilities.map((capability) => ({ capability, state })) })
  }
}

const refused = (info: MigrationInfo): Failure =>
  failure('program-failed', 'QEMU could not write the machine’s memory out.', { program: 'QEMU', exitCode: null, cause: info['error-desc'] })

/** Waits until QEMU has seen to the end of a migration that stopped the guest: before, it cannot go on. */
export async function seenTo(qmp: QmpSession): Promise<void> {
  while ((await qmp.execute('query-status')).status === 'finish-migrate') await delay(1)
}

/**
 * Ends a migration if one is under way, and waits until it has: QEMU carries on with nothing else before. A guest that the migration
 * stopped may stand still afterwards.
 */
export async function endMigration(qmp: QmpSession): Promise<void> {
  await qmp.execute('migrate_cancel')
  for (const deadline = performance.now() + END_TIMEOUT_MS; performance.now() < deadline; await delay(END_POLL_MS)) {
    const { status } = await qmp.execute('query-migrate')
    if (status === undefined || status === 'none' || OVER.includes(status)) return
  }
}
