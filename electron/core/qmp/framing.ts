import { StringDecoder } from 'node:string_decoder'
import { failure } from '#contract'

/** No message of QEMU or of a guest agent comes near this; a guest that sends more is hostile or broken. */
const MESSAGE_LIMIT_CHARACTERS = 64 * 2 ** 20

/**
 * Cuts a byte stream into its JSON objects, one a line, as QMP and the guest agent send them (qmp-spec.txt, 2.1). Bytes may
 * be split anywhere, within a character too.
 */
export class JsonLines {
  private readonly decoder = new StringDecoder('utf8')
  private pending: string[] = []
  private pendingLength = 0

  constructor(private readonly peer: string) {}

  /** The objects that these bytes complete. @throws protocol, for what is not a JSON object, or a line without end */
  push(bytes: Buffer): Record<string, unknown>[] {
    const text = this.decoder.write(bytes)
    const objects: Record<string, unknown>[] = []
    let start = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      const line = this.takePending() + text.slice(start, end)
      start = end + 1
      if (line.trim() !== '') objects.push(this.parse(line))
    }
    if (start < text.length) this.keep(text.slice(start))
    return objects
  }

  /** Forgets an unfinished line: what came before is of no interest. */
  reset(): void {
    this.takePending()
  }

  private keep(rest: string): void {
    this.pending.push(rest)
    this.pendingLength += rest.length
    if (this.pendingLength > MESSAGE_LIMIT_CHARACTERS) {
      throw failure('protocol', `${this.peer} sent a message without end.`, { peer: this.peer })
    }
  }

  private takePending(): string {
    const text = this.pending.join('')
    this.pending = []
    this.pendingLength = 0
    return text
  }

  private parse(line: string): Record<string, unknown> {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch (error) {
      throw failure('protocol', `${this.peer} sent what is not JSON.`, { peer: this.peer, cause: [line.slice(0, 200), error] })
    }
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
    throw failure('protocol', `${this.peer} sent JSON that is not an object.`, { peer: this.peer, cause: line.slice(0, 200) })
  }
}
