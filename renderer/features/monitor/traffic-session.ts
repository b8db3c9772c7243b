import { createStore, type StoreApi } from 'zustand'
import type { AppError } from '#contract'
import { openStream, type ByteChannel } from '../../app'
import { keepLatest } from '../console'
import { Traffic, type TrafficEntry } from './traffic'

export interface TrafficView {
  entries: readonly TrafficEntry[]
  error: AppError | null
  listening: boolean
}

const RETRY_MS = 1000

/** The QMP messages of one machine, gathered while they are looked at; what was gathered stays. */
export class TrafficSession {
  readonly traffic = new Traffic()
  readonly store: StoreApi<TrafficView> = createStore<TrafficView>(() => ({ entries: [], error: null, listening: false }))
  private channel: ByteChannel | null = null
  private retry: ReturnType<typeof setTimeout> | null = null
  private frame = 0
  private attempt = 0

  constructor(private readonly machineId: string) {}

  /** Listens until the function it answers is called. */
  listen(): () => void {
    void this.connect()
    return () => this.disconnect()
  }

  clear(): void {
    this.traffic.clear()
    this.changed()
  }

  dispose(): void {
    this.disconnect()
  }

  private async connect(): Promise<void> {
    const attempt = ++this.attempt
    const opened = await openStream('qmp-traffic', { machine: this.machineId })
    if (attempt !== this.attempt) return opened.ok ? opened.value.close() : undefined
    if (!opened.ok) return this.lost(opened.error)
    this.channel = opened.value
    this.store.setState({ listening: true, error: null })
    opened.value.onEnd((error) => this.lost(error === null ? null : { code: 'connection-lost', peer: 'qmp', message: error, causes: [] }))
    opened.value.onData((data, used) => {
      this.traffic.push(data)
      used()
      this.changed()
    })
  }

  private disconnect(): void {
    this.attempt++
    if (this.retry) clearTimeout(this.retry)
    cancelAnimationFrame(this.frame)
    this.frame = 0
    this.channel?.close()
    this.channel = null
    this.store.setState({ listening: false })
  }

  private lost(error: AppError | null): void {
    this.channel = null
    this.store.setState({ listening: false, error })
    this.retry = setTimeout(() => void this.connect(), RETRY_MS)
  }

  /** However many messages come, the list is drawn once a frame. */
  private changed(): void {
    if (this.frame !== 0) return
    this.frame = requestAnimationFrame(() => {
      this.frame = 0
      this.store.setState({ entries: [...this.traffic.entries] })
    })
  }
}

export const trafficSessionOf = keepLatest(4, (machineId) => new TrafficSession(machineId))
