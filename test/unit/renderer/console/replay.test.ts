import { Terminal } from '@xterm/xterm'
import { describe, expect, it } from 'vitest'
import { muteReplies } from '../../../../renderer/features/console/replay'

/** Every kind of question that makes a terminal type something by itself. */
const QUESTIONS = '\x1b[5n\x1b[6n\x1b[?6n\x1b[c\x1b[>c\x1b[>q\x1b[?25$p\x1b[20$p\x1b]10;?\x07\x1b]11;?\x07\x1bP$qm\x1b\\'

async function answersTo(text: string, replaying: boolean): Promise<string> {
  const terminal = new Terminal({ allowProposedApi: true })
  muteReplies(terminal, () => replaying)
  let answers = ''
  terminal.onData((data) => (answers += data))
  await new Promise<void>((resolve) => terminal.write(text, resolve))
  terminal.dispose()
  return answers
}

describe('a replayed console', () => {
  it('answers no question that was asked long ago', async () => {
    expect(await answersTo(QUESTIONS, true)).toBe('')
  })
  it('answers those of now', async () => {
    expect(await answersTo(QUESTIONS, false)).toContain('\x1b[1;1R')
  })
  it('still sets the colours that the guest sets', async () => {
    expect(await answersTo('\x1b]11;#102030\x07text', true)).toBe('')
  })
})
