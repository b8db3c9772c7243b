export { formatSize } from '#contract/format'

/** Escape sequences take no room. */
const STYLE = new RegExp(String.fromCharCode(27) + '\\[[0-9;]*m', 'g')
/** Scripts whose characters are two columns wide in a terminal, and emoji. */
const WIDE = /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u
const NO_WIDTH = /\p{M}|\p{Cf}/u

/** How many columns a terminal takes for it. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text.replace(STYLE, '')) width += NO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return width
}

export const padTo = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)))

/** Breaks at spaces; a word that is longer than the line stays whole. */
export function wrap(text: string, width: number, indent: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line)
      line = ' '.repeat(indent) + word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/** Columns as wide as they need to be; no line ends in spaces. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], style: (head: string) => string): string {
  const widths = head.map((title, column) => Math.max(widthOf(title), ...rows.map((row) => widthOf(row[column] ?? ''))))
  const line = (cells: readonly string[], of: (cell: string) => string): string =>
    cells.map((cell, column) => (column === cells.length - 1 ? of(cell) : of(padTo(cell, widths[column] ?? 0)))).join('  ').trimEnd()
  return [line(head, style), ...rows.map((row) => line(row, (cell) => cell))].join('\n') + '\n'
}

/** `label  value` lines; a value of several lines goes on under its first. */
export function block(entries: readonly (readonly [label: string, value: string])[], style: (label: string) => string): string {
  const width = Math.max(0, ...entries.map(([label]) => widthOf(label)))
  return entries
    .map(([label, value]) => style(padTo(label, width)) + '  ' + value.split('\n').join('\n' + ' '.repeat(width + 2)))
    .map((line) => line.trimEnd() + '\n')
    .join('')
}

/** `3 min`: how long ago, or how long it took. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} days`
}

/** As one would type it to a POSIX shell. */
export const shellQuote = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)

/** How long ago: `3 min`. */
export const ago = (atMs: number): string => formatDuration(Date.now() - atMs)
/** Names in a row, or a dash. */
export const none = (values: readonly string[]): string => (values.length > 0 ? values.join(', ') : '-')
