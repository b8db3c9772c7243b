import type { Terminal } from '@xterm/xterm'
import type { LineState } from './line-editor'

const PROMPT = '(qemu) '
const SEARCH_PROMPT = (query: string): string => `(search “${query}”) `
const DIM = '\x1b[2m'
const ACCENT = '\x1b[1;36m'
const RED = '\x1b[31m'
const PLAIN = '\x1b[0m'

/** Draws a line editor in a terminal: the prompt, the line over as many rows as it takes, and the cursor in it. */
export class PromptScreen {
  /** The row of the cursor within the line as it was drawn last. */
  private cursorRow = 0
  private drawn = false

  constructor(private readonly terminal: Terminal) {}

  /** @param hint shown behind the line, where it is the rest of what may be typed */
  draw(state: LineState, hint = ''): void {
    const { cols } = this.terminal
    const label = state.search ? SEARCH_PROMPT(state.search.query) : PROMPT
    const shownHint = state.cursor === state.text.length ? hint.slice(0, Math.max(0, cols - ((label.length + width(state.text)) % cols) - 1)) : ''
    const before = label.length + width(state.text.slice(0, state.cursor))
    const whole = label.length + width(state.text) + shownHint.length
    // A row that is exactly full does not wrap until something follows it.
    const wrap = whole % cols === 0 ? '\r\n' : ''
    const up = Math.floor(whole / cols) - Math.floor(before / cols)
    this.terminal.write(
      this.start() + ACCENT + label + PLAIN + state.text + DIM + shownHint + PLAIN + wrap + (up > 0 ? `\x1b[${up}A` : '') + `\r${before % cols > 0 ? `\x1b[${before % cols}C` : ''}`
    )
    this.cursorRow = Math.floor(before / cols)
    this.drawn = true
  }

  /** Leaves the line where it is and begins below it. */
  leave(state: LineState, mark = ''): void {
    this.draw({ ...state, cursor: state.text.length })
    this.terminal.write(mark + '\r\n')
    this.drawn = false
  }

  /** Prints above the prompt, which has to be drawn again. */
  print(text: string): void {
    this.terminal.write(this.start() + text.replace(/\r?\n/g, '\r\n'))
    this.drawn = false
  }
  printDim = (text: string): void => this.print(DIM + text + PLAIN)
  printError = (text: string): void => this.print(RED + text + PLAIN)

  clear(): void {
    this.terminal.write('\x1b[H\x1b[2J\x1b[3J')
    this.drawn = false
  }

  /** The width has changed: the terminal has wrapped the line anew. */
  resized(state: LineState): void {
    this.cursorRow = Math.floor((PROMPT.length + width(state.text.slice(0, state.cursor))) / this.terminal.cols)
  }

  /** To the first column of what was drawn, with all of it gone. */
  private start(): string {
    const up = this.drawn && this.cursorRow > 0 ? `\x1b[${this.cursorRow}A` : ''
    this.cursorRow = 0
    return this.drawn ? `${up}\r\x1b[J` : ''
  }
}

/** Columns that a text takes: East Asian wide characters and emoji take two. */
const WIDE = /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u
const width = (text: string): number => [...text].reduce((sum, character) => sum + (WIDE.test(character) ? 2 : 1), 0)

/** Names in columns, as wide as the terminal allows. */
export function inColumns(names: readonly string[], columns: number): string {
  const cell = Math.max(...names.map((name) => name.length)) + 2
  const across = Math.max(1, Math.floor(columns / cell))
  const rows = Math.ceil(names.length / across)
  const lines = Array.from({ length: rows }, (_, row) =>
    names
      .filter((_name, index) => index % rows === row)
      .map((name) => name.padEnd(cell))
      .join('')
      .trimEnd()
  )
  return lines.join('\n') + '\n'
}
