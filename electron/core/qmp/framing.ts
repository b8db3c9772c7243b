import { isUtf8 } from 'node:buffer'
import { failure, type Failure } from '#contract'

/** No message of QEMU or of a guest agent comes near this; who sends more is broken or hostile. QEMU's own limit is the same. */
export const MESSAGE_LIMIT_BYTES = 64 * 2 ** 20
/** QEMU's own limit on what is sent to it (MAX_NESTING in qobject/json-streamer.c). */
const NESTING_LIMIT = 1024
const NEWLINE = 0x0a
/** In an agent's output: what came before is to be forgotten (guest-sync-delimited). Never part of UTF-8. */
export const SENTINEL = 0xff

export type JsonObject = Record<string, unknown>

export interface JsonLinesOptions {
  limitBytes?: number
  /** A guest agent: bytes before a sentinel are dropped. */
  sentinel?: boolean
}

/**
 * Cuts a byte stream into its JSON objects, one a line, as QMP and the guest agent send them (docs/interop/qmp-spec, 2.1).
 * Bytes may be split anywhere, within a character too. After it has thrown it is of no more use.
 */
export class JsonLines {
  private readonly limitBytes: number
  private readonly sentinel: boolean
  private unfinished: Buffer[] = []
  private unfinishedBytes = 0
  private skipping = false

  /** @param peer who sends, for messages: `QEMU of “lab1”` */
  constructor(
    private readonly peer: string,
    { limitBytes = MESSAGE_LIMIT_BYTES, sentinel = false }: JsonLinesOptions = {}
  ) {
    this.limitBytes = limitBytes
    this.sentinel = sentinel
  }

  /**
   * Takes bytes, and hands over each object that they complete. They are not kept: the caller may reuse them.
   * @throws protocol, for what is not a JSON object in UTF-8, or is too large or too deep
   */
  push(bytes: Buffer, each: (message: JsonObject) => void): void {
    let start = 0
    while (start < bytes.length) {
      if (this.skipping) {
        start = bytes.indexOf(SENTINEL, start) + 1
        if (start === 0) return
        this.skipping = false
      }
      const end = bytes.indexOf(NEWLINE, start)
      if (end < 0) return this.keep(bytes.subarray(start))
      const message = this.parse(this.complete(bytes.subarray(start, end)))
      start = end + 1
      if (message) each(message)
    }
  }

  /** Drops what was begun, and all that comes until the next sentinel. */
  skipToSentinel(): void {
    this.forget()
    this.skipping = true
  }

  private keep(rest: Buffer): void {
    this.unfinishedBytes += rest.length
    if (this.unfinishedBytes > this.limitBytes) {
      this.forget()
      throw this.violation(`sent a message of more than ${this.limitBytes} bytes`)
    }
    this.unfinished.push(Buffer.from(rest))
  }

  private complete(rest: Buffer): Buffer {
    if (this.unfinished.length === 0) return rest
    const line = Buffer.concat([...this.unfinished, rest])
    this.forget()
    return line
  }

  private forget(): void {
    this.unfinished = []
    this.unfinishedBytes = 0
  }

  /** Null for an empty line, which means nothing. */
  private parse(line: Buffer): JsonObject | null {
    const bytes = this.sentinel ? line.subarray(line.lastIndexOf(SENTINEL) + 1) : line
    const text = bytes.toString('utf8')
    // The decoder puts U+FFFD where bytes are no character. A text may hold one of its own, so the bytes decide.
    if (text.includes('\ufffd') && !isUtf8(bytes)) throw this.violation('sent what is not UTF-8', text)
    if (text === '' || text.trim() === '') return null
    if (isTooDeep(text)) throw this.violation(`sent JSON nested more than ${NESTING_LIMIT} deep`, text)
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (error) {
      throw this.violation('sent what is not JSON', text, error)
    }
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
    throw this.violation('sent JSON that is not an object', text)
  }

  private violation(did: string, text = '', error?: unknown): Failure {
    return failure('protocol', `${this.peer} ${did}.`, { peer: this.peer, cause: [text === '' ? [] : text.slice(0, 200), error] })
  }
}

/**
 * A message as one line. QEMU's parser knows less than JSON does, and answers what it cannot parse without saying which
 * command that was; so such input is refused here, where the caller is known.
 * @throws bad-input
 */
export function encodeLine(message: object): string {
  const text = JSON.stringify(message)
  const refuse = (what: string): Failure => failure('bad-input', `QEMU cannot take ${what}.`, { field: 'arguments' })
  // Only control characters and lone halves of a surrogate pair are written as \u, and an escaped backslash is no \u.
  if (text.includes('\\u') && /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(text)) throw refuse('a text with a zero byte or half a character')
  if (isTooDeep(text)) throw refuse(`values nested more than ${NESTING_LIMIT} deep`)
  if (text.length > MESSAGE_LIMIT_BYTES || Buffer.byteLength(text) > MESSAGE_LIMIT_BYTES) throw refuse(`more than ${MESSAGE_LIMIT_BYTES} bytes at once`)
  return text + '\n'
}

/** Whether arrays and objects in a JSON text are nested too deep for those who later walk through the value. */
function isTooDeep(text: string): boolean {
  if (text.length <= NESTING_LIMIT) return false
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) at = endOfString(text, at)
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > NESTING_LIMIT) return true
    } else if (code === 0x5d || code === 0x7d) depth--
  }
  return false
}

/** Where the string that begins at `start` has its closing quote; the end of the text if it has none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes++
    if (backslashes % 2 === 0) return end
  }
  return text.length
}
