import type { RawChannel } from '@novnc/novnc'
import type { ByteChannel } from '../../app'

/** A byte stream as the WebSocket that noVNC expects. `begin` once noVNC has set its handlers: what came before would be lost. */
export function socketOver(channel: ByteChannel, onEnd: (error: string | null) => void): RawChannel & { begin(): void } {
  let readyState: RawChannel['readyState'] = 'open'
  const socket: RawChannel & { begin(): void } = {
    binaryType: 'arraybuffer',
    protocol: '',
    get readyState() {
      return readyState
    },
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
    send: (data) => void channel.send(data instanceof ArrayBuffer ? new Uint8Array(data) : data),
    close: () => {
      if (readyState === 'closed') return
      readyState = 'closed'
      channel.close()
      socket.onclose?.({ code: 1000, reason: '' })
    },
    begin: () => {
      channel.onEnd((error) => {
        readyState = 'closed'
        onEnd(error)
        socket.onclose?.({ code: error === null ? 1000 : 1006, reason: error ?? '' })
      })
      channel.onData((data, used) => {
        // The whole buffer is this message's: see ByteChannel.
        socket.onmessage?.({ data: data.buffer as ArrayBuffer })
        used()
      })
    }
  }
  return socket
}
