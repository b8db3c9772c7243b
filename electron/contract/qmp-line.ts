import { z } from 'zod'

export interface QmpLine {
  command: string
  arguments?: Record<string, unknown>
}

/**
 * What one may type to QMP: `query-block`, `query-block {"key": 1}`, or the whole command as JSON, as QEMU reads it.
 * @returns the command, or a sentence that says what is wrong
 */
export function parseQmpLine(line: string): QmpLine | string {
  const text = line.trim()
  if (text.startsWith('{')) {
    const whole = z.object({ execute: z.string(), arguments: z.record(z.string(), z.unknown()).optional() }).safeParse(parseJson(text))
    if (!whole.success) return 'Not a QMP command: it has to be {"execute": "...", "arguments": {...}}.'
    const { execute, arguments: given } = whole.data
    return given === undefined ? { command: execute } : { command: execute, arguments: given }
  }
  const [, command = '', rest = ''] = /^([A-Za-z0-9_.-]+)\s*([\s\S]*)$/.exec(text) ?? []
  if (command === '') return 'Type a command such as query-block.'
  if (rest === '') return { command }
  const given = z.record(z.string(), z.unknown()).safeParse(parseJson(rest))
  return given.success ? { command, arguments: given.data } : `What follows ${command} has to be a JSON object: {"key": "value"}.`
}

/** The value, or undefined when the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
