import { describe, expect, it } from 'vitest'
import { editLine, HISTORY_KEPT, newLine, replaceWord, splitKeys, type LineState } from '../../../../renderer/features/monitor/line-editor'

const UP = '\x1b[A'
const DOWN = '\x1b[B'
const LEFT = '\x1b[D'
const HOME = '\x1b[H'

/** Types input and gives the state after it, with the effects on the way. */
function type(input: string, state: LineState = newLine()): { state: LineState; lines: string[]; effects: string[] } {
  const lines: string[] = []
  const effects: string[] = []
  for (const key of splitKeys(input)) {
    const step = editLine(state, key)
    state = step.state
    if (step.effect) effects.push(step.effect.kind)
    if (step.effect?.kind === 'submit') lines.push(step.effect.line)
  }
  return { state, lines, effects }
}
const shown = ({ text, cursor }: LineState): string => `${text.slice(0, cursor)}|${text.slice(cursor)}`

describe('the line editor', () => {
  it('types, moves and deletes as readline does', () => {
    expect(shown(type(`info block${LEFT.repeat(5)}x`).state)).toBe('info x|block')
    expect(shown(type(`abc${HOME}\x04`).state)).toBe('|bc')
    expect(shown(type('info block\x17').state)).toBe('info |')
    expect(shown(type('info block\x15').state)).toBe('|')
    expect(shown(type(`info block${HOME}\x0b\x19`).state)).toBe('info block|')
    expect(shown(type('one two\x1bb\x1bbX').state)).toBe('X|one two')
    expect(shown(type('one two\x1b[1;5D\x1b[1;5C!').state)).toBe('one two!|')
    expect(shown(type('aé😀\x7f').state)).toBe('aé|')
  })
  it('submits trimmed lines and remembers those that say something new', () => {
    const { lines, state } = type('info block\r  info block \r\rstop\r')
    expect(lines).toEqual(['info block', 'info block', '', 'stop'])
    expect(state.history).toEqual(['info block', 'stop'])
  })
  it('keeps a bounded history', () => {
    const many = Array.from({ length: HISTORY_KEPT + 50 }, (_, index) => `line ${index}\r`).join('')
    expect(type(many).state.history).toHaveLength(HISTORY_KEPT)
  })
  it('goes through the history and back to what was being typed', () => {
    const { state } = type('first\rsecond\rdraft')
    const older = type(UP, state).state
    expect(older.text).toBe('second')
    expect(type(UP, older).state.text).toBe('first')
    const oldest = type(UP + UP, older)
    expect(oldest.state.text).toBe('first')
    expect(oldest.effects).toEqual(['bell'])
    expect(type(DOWN + DOWN, type(UP, older).state).state.text).toBe('draft')
  })
  it('searches the history backwards, and takes what was found', () => {
    const { state } = type('info block\rinfo cpus\rquery\rinfo blockstats\r')
    expect(type('\x12blo', state).state.text).toBe('info blockstats')
    expect(type('\x12blo\x12', state).state.text).toBe('info block')
    expect(type('\x12blo\x12\r', state).lines).toEqual(['info block'])
    expect(shown(type('\x12cpu\x1b', state).state)).toBe('info cpu|s')
  })
  it('gives up a search with what was there before', () => {
    const { state } = type('info block\rdraft')
    const left = type('\x12blo\x07', state).state
    expect([left.text, left.search]).toEqual(['draft', null])
    expect(type('\x12zzz', state).effects.at(-1)).toBe('bell')
  })
  it('lets Ctrl+C throw the line away', () => {
    const { state, effects } = type('half a line\x03')
    expect([state.text, effects]).toEqual(['', ['interrupt']])
  })
  it('takes keys it does not know for nothing', () => {
    expect(shown(type('a\x1b[5~\x1b[15~\x1bOPb\x00').state)).toBe('ab|')
  })
  it('replaces the word before the cursor only', () => {
    const state = type('info blo -n').state
    expect(shown(replaceWord({ ...state, cursor: 8 }, 'blockstats'))).toBe('info blockstats| -n')
  })
  it('splits terminal input into keys', () => {
    expect(splitKeys('ab\r\x1b[Ac\x1bOH\x1b\x7f\x1b')).toEqual(['ab', '\r', '\x1b[A', 'c', '\x1bOH', '\x1b\x7f', '\x1b'])
  })
})
