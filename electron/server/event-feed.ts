import type { ServerResponse } from 'node:http'
import type { Event } from '#contract'
import type { Core } from '#core/core'

/**
 * Server-sent events for any number of readers: `id` is the event's sequence number, `data` the event as JSON. A reader
 * that falls behind by more than the limit is cut off, so that a stuck one cannot make memory grow; it connects again and
 * reads everything anew, as after any gap.
 */
export class EventFeed {
  private readonly readers = new Set<ServerResponse>()
  private unsubscribe: (() => void) | null = null
  private heartbeat: NodeJS.Timeout | undefined

  constructor(
    private readonly core: Pick<Core, 'onEvent'>,
    private readonly limits: { heartbeatMs: number; eventBacklogBytes: number }
  ) {}

  /** Answers a request with the feed. Everything that happens after the response's head was sent is in it. */
  add(response: ServerResponse): void {
    this.readers.add(response)
    response.once('close', () => this.remove(response))
    this.unsubscribe ??= this.core.onEvent((event) => this.send(frame(event)))
    this.heartbeat ??= setInterval(() => this.send(': still here\n\n'), this.limits.heartbeatMs)
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' })
    response.write(': connected\n\n')
  }

  close(): void {
    for (const reader of this.readers) reader.destroy()
  }

  private send(text: string): void {
    for (const reader of this.readers) {
      if (reader.writableLength > this.limits.eventBacklogBytes) reader.destroy()
      else reader.write(text)
    }
  }

  private remove(response: ServerResponse): void {
    this.readers.delete(response)
    if (this.readers.size > 0) return
    this.unsubscribe?.()
    this.unsubscribe = null
    clearInterval(this.heartbeat)
    this.heartbeat = undefined
  }
}

const frame = (event: Event): string => `id: ${event.sequence}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`
