import { setTimeout as delay } from 'node:timers/promises'
import { Failure, toAppError } from '#contract'
import type { ManagedMachine } from '../machine/machine'
import { isLive } from '../machine/state'
import { throwIfCancelled, type Work } from '../task/work'
import { findInGuest, mountInGuest, partitionOf, unmountInGuest } from './guest-disk'
import { deviceId, mayWrite } from './plan'
import type { ManagedShare } from './share'

/** How a guest is asked to let go of a disk. */
export interface Leaving {
  /** It is not asked to unmount. */
  unmounted: boolean
  timeoutSeconds: number
}

/** Where a guest has a disk, or one of its partitions, mounted. */
export interface Folder {
  partition: string
  folder: string
}

/** A machine's place at the disk: it leaves it, and takes it again. */
export class Seat {
  /** Where its guest had the disk mounted. */
  folders: Folder[] = []
  private left = false

  constructor(
    private readonly share: ManagedShare,
    readonly machine: ManagedMachine,
    private readonly options: Leaving
  ) {}

  private get isOwner(): boolean {
    return this.machine.definition.id === this.share.record.machineId
  }
  private get device(): string {
    return this.isOwner ? `${this.share.record.disk}-device` : deviceId(this.share.record.id)
  }
  private get hasIt(): boolean {
    return isLive(this.machine.state) && (this.isOwner || this.share.hasDevice(this.machine.definition.id))
  }

  async leave(signal: AbortSignal): Promise<void> {
    if (!this.hasIt) return
    if (!this.options.unmounted) {
      const { device } = await findInGuest(this.machine, this.device)
      const mounts = await unmountInGuest(this.machine, this.device)
      this.folders = mounts.map((mount) => ({ partition: partitionOf(device, mount), folder: mount.folder }))
    }
    this.left = true
    if (!this.isOwner) await this.share.unplug(this.machine, this.options.timeoutSeconds, signal)
  }

  /** Gives it back to one that had it. */
  async plug(signal: AbortSignal): Promise<void> {
    if (!this.left || this.isOwner || !isLive(this.machine.state) || this.share.hasDevice(this.machine.definition.id)) return
    await this.share.plug(this.machine, signal)
  }

  async mountAll(folders: readonly Folder[], work: Pick<Work, 'log' | 'signal'>): Promise<void> {
    if (!this.hasIt || this.options.unmounted) return
    const writes = mayWrite(this.share.record, this.machine.definition.id)
    for (const { partition, folder } of folders) {
      try {
        await seenInGuest(this.machine, this.device, work.signal)
        await mountInGuest(this.machine, this.device, { partition, folder, writes })
        work.log(`“${this.machine.name}” has it mounted on ${folder}, ${writes ? 'to write' : 'to read'}.`)
      } catch (error) {
        work.log(`“${this.machine.name}” could not mount it on ${folder}: ${toAppError(error).message}`)
      }
    }
  }

  /** All as it was, after a failure. */
  async takeAgain(signal: AbortSignal): Promise<void> {
    await this.plug(signal)
    await this.mountAll(this.folders, { log: () => {}, signal })
  }
}

const SEEN_TIMEOUT_MS = 20_000
const LOOK_MS = 20
/** A guest takes a moment to find what is plugged in. */
export async function seenInGuest(machine: ManagedMachine, device: string, signal: AbortSignal): Promise<string> {
  const deadlineMs = performance.now() + SEEN_TIMEOUT_MS
  for (;;) {
    throwIfCancelled(signal)
    try {
      return (await findInGuest(machine, device)).device
    } catch (error) {
      if (!(error instanceof Failure) || error.error.code !== 'not-found' || performance.now() > deadlineMs) throw error
    }
    await delay(LOOK_MS)
  }
}
