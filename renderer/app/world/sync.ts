import { create } from 'zustand'
import type { AppError, Change, Event } from '#contract'
import { bridge, call } from '../bridge'
import { hostMirror, settingsMirror } from './host'
import { imagesMirror } from './images'
import { labsMirror, noteStoreChange } from './labs'
import { machinesMirror } from './machines'
import { snapshotsMirror } from './snapshots'
import { ringMirror } from './ring'
import { sharesMirror } from './shares'
import { tasksMirror } from './tasks'

/** Whether what the window shows is what the core holds. */
type Sync = { kind: 'reading' } | { kind: 'live' } | { kind: 'lost'; error: AppError }
export const useSync = create<{ state: Sync }>(() => ({ state: { kind: 'reading' } }))

/** Pauses before reading is tried again, in milliseconds; the last one stays. */
const RETRIES_MS = [1000, 2000, 5000]

/**
 * Keeps the mirrors: reads everything once, then applies what is pushed. Events are heard before the first reading starts and
 * applied at once; those that come during a reading are applied again on top of what was read, so that an answer older than
 * an event never wins. All changes are whole objects: applying one twice changes nothing.
 *
 * A missing sequence number, or another owner of the library, means that something was not heard: everything is read again. So
 * does the first event after a reading: nothing says whether it is the next one of the owner that was read from.
 */
class Synchroniser {
  private last: { owner: string; sequence: number } | null = null
  private during: Change[] = []
  private reading = false
  private again = false
  private failures = 0
  private timer: ReturnType<typeof setTimeout> | null = null

  readonly hear = (event: Event): void => {
    const { last } = this
    if (last?.owner === event.owner && event.sequence <= last.sequence) return
    const missed = last === null ? !this.reading : last.owner !== event.owner || event.sequence !== last.sequence + 1
    this.last = { owner: event.owner, sequence: event.sequence }
    if (this.reading) this.during.push(event)
    applyChange(event)
    if (missed) void this.readAll()
  }

  readonly readAll = async (): Promise<void> => {
    if (this.reading) {
      this.again = true
      return
    }
    if (this.timer) clearTimeout(this.timer)
    this.timer = null
    this.reading = true
    this.during = []
    // The machines first: they are what the window opens with.
    const errors = await Promise.all([
      this.readMachines(),
      this.readTasks(),
      this.readImages(),
      this.readSnapshots(),
      this.readLabs(),
      this.readShares(),
      this.readSettings(),
      this.readHost()
    ])
    this.reading = false
    const error = errors.find((one) => one !== null)
    if (this.again) {
      this.again = false
      return this.readAll()
    }
    if (error) this.retryLater(error)
    else this.failures = 0
    useSync.setState({ state: error ? { kind: 'lost', error } : { kind: 'live' } })
  }

  private retryLater(error: AppError): void {
    // What the user has to change first is not asked for again and again.
    if (error.code === 'newer-version') return
    const delay = RETRIES_MS[Math.min(this.failures++, RETRIES_MS.length - 1)]
    this.timer = setTimeout(() => void this.readAll(), delay)
  }

  private async readMachines(): Promise<AppError | null> {
    return this.take(
      await call('machine.list', {}),
      machinesMirror.replace,
      (change) => change.kind === 'machine-changed' || change.kind === 'machine-removed'
    )
  }
  private async readTasks(): Promise<AppError | null> {
    return this.take(await call('task.list', {}), tasksMirror.replace, (change) => change.kind === 'task-changed')
  }
  private async readImages(): Promise<AppError | null> {
    return this.take(
      await call('image.list', {}),
      imagesMirror.replace,
      (change) => change.kind === 'image-changed' || change.kind === 'image-removed'
    )
  }
  private async readShares(): Promise<AppError | null> {
    return this.take(
      await call('share.list', {}),
      sharesMirror.replace,
      (change) => change.kind === 'share-changed' || change.kind === 'share-removed'
    )
  }
  private async readSnapshots(): Promise<AppError | null> {
    return this.take(
      await call('snapshot.list', {}),
      snapshotsMirror.replace,
      (change) => change.kind === 'snapshot-changed' || change.kind === 'snapshot-removed'
    )
  }
  private async readLabs(): Promise<AppError | null> {
    return this.take(await call('lab.list', {}), labsMirror.replace, (change) => change.kind === 'lab-changed' || change.kind === 'lab-removed')
  }
  private async readSettings(): Promise<AppError | null> {
    return this.take(await call('settings.show', {}), settingsMirror.replace, (change) => change.kind === 'settings-changed')
  }
  private async readHost(): Promise<AppError | null> {
    return this.take(await call('host.show', {}), hostMirror.replace, (change) => change.kind === 'host-changed')
  }

  private take<T>(
    answer: { ok: true; value: T } | { ok: false; error: AppError },
    replace: (value: T) => void,
    concerns: (change: Change) => boolean
  ): AppError | null {
    if (!answer.ok) return answer.error
    replace(answer.value)
    this.during.filter(concerns).forEach(applyChange)
    return null
  }
}

function applyChange(change: Change): void {
  switch (change.kind) {
    case 'machine-changed':
      return machinesMirror.upsert(change.machine)
    case 'machine-removed':
      return machinesMirror.remove(change.id)
    case 'image-changed':
      return imagesMirror.upsert(change.image)
    case 'image-removed':
      return imagesMirror.remove(change.id)
    case 'share-changed':
      return sharesMirror.upsert(change.share)
    case 'share-removed':
      return sharesMirror.remove(change.id)
    case 'snapshot-changed':
      return snapshotsMirror.upsert(change.snapshot)
    case 'snapshot-removed':
      return snapshotsMirror.remove(change.id)
    case 'lab-changed':
      return labsMirror.upsert(change.lab)
    case 'lab-removed':
      return labsMirror.remove(change.id)
    case 'store-changed':
      return noteStoreChange()
    case 'task-changed':
      return tasksMirror.upsert(change.task)
    case 'settings-changed':
      return settingsMirror.replace(change.settings)
    case 'ring-changed':
      return ringMirror.replace(change.ring)
    case 'host-changed':
      return hostMirror.replace(change.host)
  }
}

let current: Synchroniser | null = null

/** Begins; answers the function that ends it. */
export function startSync(): () => void {
  const synchroniser = new Synchroniser()
  current = synchroniser
  const unsubscribe = bridge().onEvent(synchroniser.hear)
  void synchroniser.readAll()
  return () => {
    unsubscribe()
    if (current === synchroniser) current = null
  }
}

/** Reads everything again now: the Retry of the notice that the connection was lost. */
export const readAgain = (): void => void current?.readAll()
