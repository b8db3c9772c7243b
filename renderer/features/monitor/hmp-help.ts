/** One command of QEMU's human monitor, as its own help has it. */
export interface HmpCommand {
  /** The name first, then its short forms: `cont`, `c`. */
  names: readonly string[]
  /** What may follow it, in QEMU's notation. */
  usage: string
  summary: string
}

const HEAD = /^([a-z_?][\w?|-]*)(?:$|\s)/i

/**
 * Reads what `help` prints: a command begins at the left edge; what is indented, or begins with `[`, goes on with the one before.
 * Of `help info` the names are the second words: pass `info` as `under`.
 */
export function parseHelp(output: string, under?: string): HmpCommand[] {
  const entries: string[] = []
  for (const line of output.split('\n')) {
    if (HEAD.test(line)) entries.push(line)
    else if (line.trim() !== '' && entries.length > 0) entries.push(`${entries.pop()} ${line.trim()}`)
  }
  return entries.flatMap((entry) => {
    const own = under === undefined ? entry : entry.startsWith(under + ' ') ? entry.slice(under.length + 1) : ''
    const head = HEAD.exec(own)?.[1]
    if (head === undefined) return []
    const [usage = '', summary = ''] = splitOnce(own.slice(head.length), ' -- ')
    return [{ names: head.split('|').filter(Boolean), usage: usage.trim(), summary: summary.replace(/\s+/g, ' ').trim() }]
  })
}

/** What the monitor knows, for completion. */
export interface Vocabulary {
  commands: readonly HmpCommand[]
  info: readonly HmpCommand[]
}

export interface Completion {
  /** What to put in the place of the word before the cursor. */
  insert: string
  /** More than one: the word could become any of these. */
  candidates: readonly HmpCommand[]
}

/** Completes the word before the cursor: a command, or what follows `info` and `help`. Null where nothing is known. */
export function complete(beforeCursor: string, { commands, info }: Vocabulary): Completion | null {
  const words = beforeCursor.trimStart().split(/\s+/)
  const word = words.at(-1) ?? ''
  const choices = words.length === 1 ? commands : words.length === 2 && words[0] === 'info' ? info : words.length === 2 && /^(help|\?)$/.test(words[0]!) ? commands : null
  if (!choices) return null
  const fitting = choices.flatMap((command) => {
    const name = command.names.find((one) => one.startsWith(word))
    return name === undefined ? [] : [{ name, command }]
  })
  if (fitting.length === 0) return null
  const exact = fitting.length === 1
  const insert = exact ? fitting[0]!.name + ' ' : commonPrefix(fitting.map(({ name }) => name))
  return { insert, candidates: exact ? [] : fitting.map(({ command }) => command) }
}

/** The arguments of the command that was typed, once only they are missing. */
export function usageAfter(text: string, { commands, info }: Vocabulary): string {
  const [, first, second] = /^\s*(\S+) (?:(\S+) )?$/.exec(text) ?? []
  if (first === undefined) return ''
  const known = second === undefined ? commands : first === 'info' ? info : []
  return known.find((command) => command.names.includes(second ?? first))?.usage ?? ''
}

function commonPrefix(names: readonly string[]): string {
  let prefix = names[0] ?? ''
  for (const name of names) while (!name.startsWith(prefix)) prefix = prefix.slice(0, -1)
  return prefix
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)]
}
