/**
 * A line editor as pure state: `editLine(state, key)` gives the next state and what has to be done. Keys are those of readline that people
 * have in their fingers.
 *
 *   editing ──Ctrl+R──> searching ──Enter, Escape, an arrow──> editing (with what was found)
 *                           └──Ctrl+G, Ctrl+C──> editing (with what was there before)
 */
export interface LineState {
  text: string
  /** Index in `text`, in code units. */
  cursor: number
  /** Older lines first. */
  history: readonly string[]
  /** Which line of the history is shown; its length when it is a new line. */
  at: number
  /** The new line, kept while one looks at older ones. */
  draft: string
  /** What Ctrl+K, Ctrl+U and Ctrl+W took away last, for Ctrl+Y. */
  cut: string
  search: { query: string; at: number; before: string } | null
}

export type LineEffect = { kind: 'submit'; line: string } | { kind: 'complete' } | { kind: 'interrupt' } | { kind: 'clear' } | { kind: 'bell' }

export interface LineStep {
  state: LineState
  effect: LineEffect | null
}

export const HISTORY_KEPT = 500
export const newLine = (history: readonly string[] = []): LineState => ({ text: '', cursor: 0, history, at: history.length, draft: '', cut: '', search: null })

type Edit = (state: LineState) => LineStep
const just = (state: LineState): LineStep => ({ state, effect: null })
const bell = (state: LineState): LineStep => ({ state, effect: { kind: 'bell' } })
const move = (to: (state: LineState) => number): Edit => (state) => just({ ...state, cursor: to(state) })

/** Bytes as a terminal sends them for each key. */
const EDITS: Record<string, Edit> = {
  '\r': submit,
  '\n': submit,
  '\t': (state) => ({ state, effect: { kind: 'complete' } }),
  '\x01': move(() => 0), // Ctrl+A
  '\x1b[H': move(() => 0), // Home
  '\x1bOH': move(() => 0),
  '\x05': move(({ text }) => text.length), // Ctrl+E
  '\x1b[F': move(({ text }) => text.length), // End
  '\x1bOF': move(({ text }) => text.length),
  '\x02': move(left), // Ctrl+B
  '\x1b[D': move(left),
  '\x06': move(right), // Ctrl+F
  '\x1b[C': move(right),
  '\x1bb': move(wordLeft), // Alt+B
  '\x1b[1;5D': move(wordLeft), // Ctrl+Left
  '\x1b[1;3D': move(wordLeft),
  '\x1bf': move(wordRight), // Alt+F
  '\x1b[1;5C': move(wordRight), // Ctrl+Right
  '\x1b[1;3C': move(wordRight),
  '\x7f': (state) => remove(state, left(state), state.cursor, false), // Backspace
  '\b': (state) => remove(state, left(state), state.cursor, false),
  '\x1b[3~': (state) => remove(state, state.cursor, right(state), false), // Delete
  '\x04': (state) => remove(state, state.cursor, right(state), false), // Ctrl+D
  '\x0b': (state) => remove(state, state.cursor, state.text.length, true), // Ctrl+K
  '\x15': (state) => remove(state, 0, state.cursor, true), // Ctrl+U
  '\x17': (state) => remove(state, blankLeft(state), state.cursor, true), // Ctrl+W
  '\x1bd': (state) => remove(state, state.cursor, wordRight(state), true), // Alt+D
  '\x1b\x7f': (state) => remove(state, wordLeft(state), state.cursor, true), // Alt+Backspace
  '\x19': (state) => just(insert(state, state.cut)), // Ctrl+Y
  '\x1b[A': (state) => recall(state, state.at - 1),
  '\x10': (state) => recall(state, state.at - 1), // Ctrl+P
  '\x1b[B': (state) => recall(state, state.at + 1),
  '\x0e': (state) => recall(state, state.at + 1), // Ctrl+N
  '\x03': (state) => ({ state: newLine(state.history), effect: { kind: 'interrupt' } }), // Ctrl+C
  '\x0c': (state) => ({ state, effect: { kind: 'clear' } }), // Ctrl+L
  '\x12': (state) => just({ ...state, search: { query: '', at: state.history.length, before: state.text } }) // Ctrl+R
}

/** One key, or a text that was pasted without line ends. */
export function editLine(state: LineState, key: string): LineStep {
  if (state.search) return searchKey(state, state.search, key)
  const edit = EDITS[key]
  if (edit) return edit(state)
  return isText(key) ? just(insert(state, key)) : just(state)
}

const ESCAPE = '\x1b'
const AFTER_ESCAPE = /^(?:\[[0-9;]*[A-Za-z~]|O[A-Z]|[\x7fA-Za-z])/
const TEXT = /^\P{Cc}+/u

/** Terminal input as single keys, in order: an escape sequence is one, text between control characters is one. */
export function splitKeys(data: string): string[] {
  const keys: string[] = []
  for (let rest = data; rest !== ''; ) {
    const key = rest.startsWith(ESCAPE) ? ESCAPE + (AFTER_ESCAPE.exec(rest.slice(1))?.[0] ?? '') : (TEXT.exec(rest)?.[0] ?? rest.slice(0, 1))
    keys.push(key)
    rest = rest.slice(key.length)
  }
  return keys
}

const isText = (key: string): boolean => key !== '' && !/\p{Cc}/u.test(key)

export function insert(state: LineState, text: string): LineState {
  return { ...state, text: state.text.slice(0, state.cursor) + text + state.text.slice(state.cursor), cursor: state.cursor + text.length }
}

/** Puts something else in the place of the word before the cursor. */
export function replaceWord(state: LineState, word: string): LineState {
  const from = blankLeft(state, false)
  return { ...state, text: state.text.slice(0, from) + word + state.text.slice(state.cursor), cursor: from + word.length }
}

function submit(state: LineState): LineStep {
  const line = state.text.trim()
  // A line that repeats the one before, or is empty, is not worth a place.
  const history = line === '' || line === state.history.at(-1) ? state.history : [...state.history, line].slice(-HISTORY_KEPT)
  return { state: { ...newLine(history), cut: state.cut }, effect: { kind: 'submit', line } }
}

function remove(state: LineState, from: number, to: number, keep: boolean): LineStep {
  if (from === to) return bell(state)
  const cut = keep ? state.text.slice(from, to) : state.cut
  return just({ ...state, text: state.text.slice(0, from) + state.text.slice(to), cursor: from, cut })
}

function recall(state: LineState, at: number): LineStep {
  if (at < 0 || at > state.history.length) return bell(state)
  const draft = state.at === state.history.length ? state.text : state.draft
  const text = at === state.history.length ? draft : state.history[at]!
  return just({ ...state, at, draft, text, cursor: text.length })
}

function searchKey(state: LineState, search: NonNullable<LineState['search']>, key: string): LineStep {
  const { query, at } = search
  if (key === '\x12') return find(state, query, at - 1)
  if (key === '\x7f' || key === '\b') return find(state, query.slice(0, -1), state.history.length - 1)
  if (key === '\x07' || key === '\x03') return just({ ...state, text: search.before, cursor: search.before.length, search: null })
  if (isText(key)) return find(state, query + key, Math.min(at, state.history.length - 1))
  const found = { ...state, search: null }
  // Escape takes what was found; any other key does too, and then does what it does.
  return key === '\x1b' ? just(found) : editLine(found, key)
}

/** Looks for the query in older lines, from `from` backwards. */
function find(state: LineState, query: string, from: number): LineStep {
  const search = state.search!
  for (let at = from; at >= 0 && query !== ''; at--) {
    const line = state.history[at]!
    if (line.includes(query)) return just({ ...state, at, text: line, cursor: line.indexOf(query) + query.length, search: { ...search, query, at } })
  }
  return { state: { ...state, search: { ...search, query } }, effect: query === '' ? null : { kind: 'bell' } }
}

/** Code points are not split: a surrogate pair is one character. */
function left({ text, cursor }: LineState): number {
  if (cursor === 0) return 0
  const code = text.codePointAt(cursor - 2)
  return cursor - (code !== undefined && code > 0xffff ? 2 : 1)
}
function right({ text, cursor }: LineState): number {
  const code = text.codePointAt(cursor)
  return code === undefined ? cursor : cursor + (code > 0xffff ? 2 : 1)
}

const isWord = (character: string | undefined): boolean => character !== undefined && /[\p{L}\p{N}_]/u.test(character)
function wordLeft({ text, cursor }: LineState): number {
  let at = cursor
  while (at > 0 && !isWord(text[at - 1])) at--
  while (at > 0 && isWord(text[at - 1])) at--
  return at
}
function wordRight({ text, cursor }: LineState): number {
  let at = cursor
  while (at < text.length && !isWord(text[at])) at++
  while (at < text.length && isWord(text[at])) at++
  return at
}
function blankLeft({ text, cursor }: LineState, skipBlanks = true): number {
  let at = cursor
  while (skipBlanks && at > 0 && text[at - 1] === ' ') at--
  while (at > 0 && text[at - 1] !== ' ') at--
  return at
}
