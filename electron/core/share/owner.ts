import type { QmpSession } from '../qmp/session'

/**
 * An owner that serves is not to end with requests of its clients under way: while it has clients, a guest that powers off leaves its QEMU
 * paused (status `shutdown`), and QEMU goes on serving until it is told to quit. So it also does while no Strata runs.
 * Source: set-action, qapi/run-state.json, QEMU 6.0.
 */
export class OwnerWatch {
  private readonly watched = new WeakSet<QmpSession>()

  /** @param onEnds the guest has powered off: take over what is served, and tell QEMU to quit */
  async hold(qmp: QmpSession, onEnds: () => void): Promise<void> {
    if (!this.watched.has(qmp)) {
      this.watched.add(qmp)
      qmp.onEvent('SHUTDOWN', onEnds)
    }
    await qmp.execute('set-action', { shutdown: 'pause' })
    // Before this, or while no Strata ran.
    if ((await qmp.execute('query-status')).status === 'shutdown') onEnds()
  }

  /** It serves nobody any more. */
  async letGo(qmp: QmpSession): Promise<void> {
    if (!this.watched.has(qmp)) return
    await qmp.execute('set-action', { shutdown: 'poweroff' })
  }
}
