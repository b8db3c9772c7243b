import type { Result, StreamInput, StreamMessage, StreamName } from '#contract'
// By its own path: the contract's index would bring the schema library into the window's first chunk.
import { STREAM_WINDOW_BYTES } from '#contract/bridge'
import { bridge } from './bridge'

/**
 * The window's end of a byte stream (contract/stream.ts).
 * Set `onData` and `onEnd` right after the stream was opened: nothing is delivered before `onData` is set.
 */
export interface ByteChannel {
  /**
   * Called with what came, in order. `used` says that it has been dealt with: only then may the sender send as many more bytes. Call it
   * when the bytes are truly used up (drawn, parsed), so that a flood waits in the guest and not in the window's memory.
   */
  onData(listener: (data: Uint8Array, used: () => void) => void): void
  /** Called once, when nothing more will come. `error` is a sentence, or null when it ended by itself. Not called after `close`. */
  onEnd(listener: (error: string | null) => void): void
  /** Sends a copy of `data`. Resolves when the other side has taken it; at most `STREAM_WINDOW_BYTES` are under way. */
  send(data: Uint8Array): Promise<void>
  close(): void
}

const CHUNK_BYTES = 1 << 16

/** Opens a stream of the core. */
export async function openStream<S extends StreamName>(name: S, input: StreamInput<S>): Promise<Result<ByteChannel>> {
  listen()
  const opened = await bridge().openStream(name, input)
  return opened.ok ? { ok: true, value: channelOver(await portOf(opened.value.streamId)) } : opened
}

/** Ports that have come and were not asked for yet, and askers whose port has not come yet; the order is not fixed. */
const arrived = new Map<string, MessagePort>()
const awaited = new Map<string, (port: MessagePort) => void>()
let listening = false

function listen(): void {
  if (listening) return
  listening = true
  window.addEventListener('message', (event: MessageEvent<unknown>) => {
    const port = event.ports[0]
    if (event.source !== window || event.origin !== window.location.origin || !port || !isAnnouncement(event.data)) return
    const { strataStream } = event.data
    const take = awaited.get(strataStream)
    awaited.delete(strataStream)
    if (take) take(port)
    else arrived.set(strataStream, port)
  })
}

const isAnnouncement = (data: unknown): data is { strataStream: string } =>
  typeof data === 'object' && data !== null && 'strataStream' in data && typeof data.strataStream === 'string'

function portOf(streamId: string): Promise<MessagePort> {
  const port = arrived.get(streamId)
  arrived.delete(streamId)
  return port ? Promise.resolve(port) : new Promise((resolve) => awaited.set(streamId, resolve))
}

/** A channel over one end of a port that speaks `StreamMessage`. */
export function channelOver(port: MessagePort): ByteChannel {
  let underWay = 0
  let over = false
  let endListener: ((error: string | null) => void) | null = null
  const waiting: { bytes: ArrayBuffer; sent: () => void }[] = []
  const post = (message: StreamMessage, transfer: Transferable[] = []): void => port.postMessage(message, transfer)

  const pump = (): void => {
    while (waiting.length > 0 && underWay < STREAM_WINDOW_BYTES) {
      const { bytes, sent } = waiting.shift()!
      underWay += bytes.byteLength
      post(bytes)
      sent()
    }
  }
  const end = (error: string | null): void => {
    if (over) return
    over = true
    port.close()
    // Whoever waits to send must not wait for ever.
    waiting.splice(0).forEach(({ sent }) => sent())
    endListener?.(error)
  }
  const receive = (data: StreamMessage, listener: Parameters<ByteChannel['onData']>[0]): void => {
    if (data instanceof ArrayBuffer) {
      listener(new Uint8Array(data), () => {
        if (!over) post({ kind: 'acknowledged', bytes: data.byteLength })
      })
    } else if (data.kind === 'acknowledged') {
      underWay -= data.bytes
      pump()
    } else {
      end(data.error)
    }
  }

  return {
    onData: (listener) => {
      // Assigning onmessage starts the port.
      port.onmessage = (event: MessageEvent<StreamMessage>) => receive(event.data, listener)
      port.addEventListener('close', () => end('The connection to Strata was lost.'))
    },
    onEnd: (listener) => {
      endListener = listener
    },
    send: (data) =>
      new Promise((resolve) => {
        if (over || data.byteLength === 0) return resolve()
        for (let at = 0; at < data.byteLength; at += CHUNK_BYTES) {
          // slice copies: the caller may use its buffer again at once (noVNC does).
          const bytes = data.slice(at, at + CHUNK_BYTES).buffer
          waiting.push({ bytes, sent: at + CHUNK_BYTES >= data.byteLength ? resolve : () => undefined })
        }
        pump()
      }),
    close: () => {
      if (over) return
      over = true
      post({ kind: 'ended', error: null })
      port.close()
      waiting.splice(0).forEach(({ sent }) => sent())
    }
  }
}
