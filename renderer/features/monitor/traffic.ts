import { z } from 'zod'
import { parseJson, QmpTraffic } from '#contract'

/** One message between Strata and QEMU. */
export interface TrafficEntry {
  /** Counts up; stays when older ones are dropped. */
  id: number
  atMs: number
  direction: QmpTraffic['direction']
  kind: 'command' | 'return' | 'error' | 'event' | 'greeting' | 'other'
  /** The command's or event's name; of an answer, the name of its command. */
  name: string
  /** The message as one line of JSON. */
  json: string
  /** Of an answer: how long it took. */
  tookMs: number | null
}

export interface TrafficFilter {
  text: string
  hidePolling: boolean
  /** Commands that were typed here: those are shown, polled for or not. */
  asked: ReadonlySet<string>
}

export const KEPT_ENTRIES = 5000
/** A schema has a megabyte: entries alone do not bound the memory. */
export const KEPT_CHARACTERS = 16 * 2 ** 20

const Message = z.looseObject({ execute: z.string().optional(), event: z.string().optional(), id: z.unknown().optional(), QMP: z.unknown().optional(), return: z.unknown().optional(), error: z.unknown().optional() })
type Message = z.output<typeof Message>

/** The last messages, in order. Answers are matched to their commands by id. */
export class Traffic {
  readonly entries: TrafficEntry[] = []
  /** How many were dropped at the beginning. */
  dropped = 0
  private characters = 0
  private nextId = 1
  private rest = ''
  private readonly decoder = new TextDecoder()
  private readonly waiting = new Map<string, { name: string; atMs: number }>()

  /** Takes bytes of the stream, one JSON object a line. A line that is none is left out. */
  push(bytes: Uint8Array): void {
    const lines = (this.rest + this.decoder.decode(bytes, { stream: true })).split('\n')
    this.rest = lines.pop() ?? ''
    for (const line of lines) {
      const parsed = QmpTraffic.safeParse(parseJson(line))
      if (parsed.success) this.add(parsed.data)
    }
    this.drop()
  }

  clear(): void {
    this.dropped = 0
    this.characters = 0
    this.entries.length = 0
  }

  private add({ atMs, direction, message }: QmpTraffic): void {
    const json = JSON.stringify(message)
    const parsed = Message.safeParse(message)
    const entry = { id: this.nextId++, atMs, direction, json, ...this.read(parsed.success ? parsed.data : null, atMs) }
    this.entries.push(entry)
    this.characters += json.length
  }

  private read(message: Message | null, atMs: number): Pick<TrafficEntry, 'kind' | 'name' | 'tookMs'> {
    if (message?.execute !== undefined) {
      if (message.id !== undefined) this.waiting.set(JSON.stringify(message.id), { name: message.execute, atMs })
      return { kind: 'command', name: message.execute, tookMs: null }
    }
    if (message?.event !== undefined) return { kind: 'event', name: message.event, tookMs: null }
    if (message?.QMP !== undefined) return { kind: 'greeting', name: 'QMP', tookMs: null }
    const kind = message?.error !== undefined ? 'error' : message && 'return' in message ? 'return' : 'other'
    const key = JSON.stringify(message?.id ?? null)
    const command = this.waiting.get(key)
    this.waiting.delete(key)
    return { kind, name: command?.name ?? '', tookMs: command ? atMs - command.atMs : null }
  }

  private drop(): void {
    let count = Math.max(0, this.entries.length - KEPT_ENTRIES)
    let characters = this.characters - this.entries.slice(0, count).reduce((sum, { json }) => sum + json.length, 0)
    while (characters > KEPT_CHARACTERS && count < this.entries.length - 1) characters -= this.entries[count++]!.json.length
    this.characters = characters
    this.entries.splice(0, count)
    this.dropped += count
    // A command whose answer never came must not stay for ever.
    for (const key of this.waiting.keys()) {
      if (this.waiting.size <= 1000) break
      this.waiting.delete(key)
    }
  }
}

/** What the window itself asks for again and again, to draw its charts and states. */
const POLLED = /^query-(?:.*stats|status|balloon|migrate)$/

/** Whether an entry passes the filter. The text is looked for in the whole message, without regard to case. */
export function passes(entry: TrafficEntry, { text, hidePolling, asked }: TrafficFilter): boolean {
  if (hidePolling && entry.kind !== 'error' && POLLED.test(entry.name) && !asked.has(entry.name)) return false
  const wanted = text.trim().toLowerCase()
  return wanted === '' || entry.name.toLowerCase().includes(wanted) || entry.json.toLowerCase().includes(wanted)
}
