/**
 * What is typed and pasted, on its way to a serial line. Typed keys go at once. A paste goes in small pieces with pauses: a UART has
 * no way to say "wait", and what the guest's line discipline cannot hold (4096 bytes) while a program is busy is lost.
 */
export interface SerialInput {
  type(text: string): void
  /** Line ends become what the Enter key sends. */
  paste(text: string): void
  /** Forgets what has not been sent. */
  cancel(): void
}

export const PIECE_BYTES = 256
export const PAUSE_MS = 10
const CTRL_C = '\x03'

/**
 * @param send resolves when the bytes were taken
 * @param onProgress while something pasted is under way: what is left of it, null at its end
 */
export function createSerialInput(
  send: (bytes: Uint8Array) => Promise<void>,
  onProgress: (left: { bytes: number; totalBytes: number } | null) => void,
  pause: (ms: number) => Promise<void> = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
): SerialInput {
  const encoder = new TextEncoder()
  let waiting = new Uint8Array()
  let totalBytes = 0
  let sending = false

  const drain = async (): Promise<void> => {
    sending = true
    while (waiting.byteLength > 0) {
      const piece = waiting.subarray(0, PIECE_BYTES)
      waiting = waiting.subarray(PIECE_BYTES)
      await send(piece)
      onProgress({ bytes: waiting.byteLength, totalBytes })
      await pause(PAUSE_MS)
    }
    sending = false
    totalBytes = 0
    onProgress(null)
  }
  const append = (bytes: Uint8Array): void => {
    const both = new Uint8Array(waiting.byteLength + bytes.byteLength)
    both.set(waiting)
    both.set(bytes, waiting.byteLength)
    waiting = both
    totalBytes += bytes.byteLength
  }
  const cancel = (): void => {
    waiting = new Uint8Array()
  }

  return {
    type: (text) => {
      // Ctrl+C stops a program, and a paste that feeds it.
      if (text === CTRL_C) cancel()
      if (sending && text !== CTRL_C) append(encoder.encode(text))
      else void send(encoder.encode(text))
    },
    paste: (text) => {
      append(encoder.encode(text.replace(/\r\n|\n/g, '\r')))
      if (!sending) void drain()
    },
    cancel
  }
}
