import type { Duplex } from 'node:stream'
import { STREAM_WINDOW_BYTES, type StreamMessage } from '#contract/bridge'

/** One end of a MessagePort, as far as a stream needs it. */
export interface StreamPort {
  post(message: StreamMessage): void
  onMessage(listener: (message: unknown) => void): void
  /** The other end is gone: closed, reloaded or crashed. */
  onClose(listener: () => void): void
  close(): void
}

/** Output that comes in crumbs is collected for this long: a UART hands over single bytes, and each message has its price. */
const GATHER_MS = 4

/**
 * Couples a byte stream of the core with the window's port, both ways, until either ends; then both are released.
 *
 * Flow control: at most `STREAM_WINDOW_BYTES` are under way to the window before it has said that it used some, then the source is
 * paused and its own back pressure makes the producer wait. What the window sends is acknowledged when the core has taken it.
 */
export function coupleStream(source: Duplex, port: StreamPort): void {
  let underWay = 0
  let gathered: Buffer[] = []
  let timer: NodeJS.Timeout | null = null

  const flush = (): void => {
    timer = null
    if (gathered.length === 0) return
    const chunk = gathered.length === 1 ? gathered[0]! : Buffer.concat(gathered)
    gathered = []
    // A copy, always: a Buffer may be a view of a shared pool, and ArrayBuffers from outside V8's heap are refused by Electron.
    port.post(new Uint8Array(chunk).buffer)
  }
  const release = (): void => {
    if (timer) clearTimeout(timer)
    port.close()
    source.destroy()
  }
  const finish = once((error: string | null) => {
    flush()
    port.post({ kind: 'ended', error })
    release()
  })
  port.onClose(() => {
    finish.drop()
    release()
  })

  source.on('data', (chunk: Buffer) => {
    underWay += chunk.length
    gathered.push(chunk)
    if (underWay >= STREAM_WINDOW_BYTES) source.pause()
    if (timer) return
    // The first bytes after a rest go at once (echo of a key); what follows on their heels is gathered.
    flush()
    timer = setTimeout(flush, GATHER_MS)
  })
  source.once('end', () => finish.run(null))
  source.once('error', (error) => finish.run(error.message))
  source.once('close', () => finish.run(null))

  port.onMessage((message) => {
    if (message instanceof ArrayBuffer) {
      source.write(Buffer.from(message), (error) => {
        if (!error) port.post({ kind: 'acknowledged', bytes: message.byteLength })
      })
    } else if (isAcknowledgement(message)) {
      underWay = Math.max(0, underWay - message.bytes)
      if (underWay < STREAM_WINDOW_BYTES && source.isPaused()) source.resume()
    } else if (isEnd(message)) {
      source.end()
    }
    // Anything else is not part of the protocol and has no effect.
  })
}

const isAcknowledgement = (message: unknown): message is { bytes: number } =>
  hasKind(message, 'acknowledged') && 'bytes' in message && typeof message.bytes === 'number' && message.bytes > 0
const isEnd = (message: unknown): boolean => hasKind(message, 'ended')
const hasKind = (message: unknown, kind: StreamKind): message is object =>
  typeof message === 'object' && message !== null && 'kind' in message && message.kind === kind
type StreamKind = Exclude<StreamMessage, ArrayBuffer>['kind']

/** Runs `action` at most once; not at all after `drop`. */
function once<A>(action: (argument: A) => void): { run: (argument: A) => void; drop: () => void } {
  let over = false
  return {
    run: (argument) => {
      if (over) return
      over = true
      action(argument)
    },
    drop: () => void (over = true)
  }
}
