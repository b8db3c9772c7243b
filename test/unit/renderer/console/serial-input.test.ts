import { describe, expect, it } from 'vitest'
import { createSerialInput, PIECE_BYTES } from '../../../../renderer/features/console/serial-input'

/** A serial line that is taken from by hand: each pause of a paste waits for `next`. */
function line() {
  let sent = ''
  const pieces: number[] = []
  const progress: (number | null)[] = []
  let resume = (): void => undefined
  const input = createSerialInput(
    (bytes) => {
      sent += new TextDecoder().decode(bytes)
      pieces.push(bytes.byteLength)
      return Promise.resolve()
    },
    (left) => progress.push(left && left.bytes),
    () => new Promise((resolve) => (resume = resolve))
  )
  const next = async (): Promise<void> => {
    resume()
    for (let turn = 0; turn < 5; turn++) await Promise.resolve()
  }
  const finish = async (): Promise<void> => {
    while (progress.at(-1) !== null) await next()
  }
  return { input, next, finish, pieces, progress, sent: () => sent }
}

describe('input to a serial line', () => {
  it('sends typed keys at once', () => {
    const { input, sent } = line()
    input.type('l')
    input.type('s\r')
    expect(sent()).toBe('ls\r')
  })
  it('feeds a paste in small pieces, and ends lines as Enter does', async () => {
    const { input, finish, pieces, progress, sent } = line()
    const text = 'echo é\r\n'.repeat(100)
    input.paste(text)
    await finish()
    expect(sent()).toBe('echo é\r'.repeat(100))
    expect(Math.max(...pieces)).toBe(PIECE_BYTES)
    expect(progress.at(-2)).toBe(0)
  })
  it('keeps keys in their order behind a paste', async () => {
    const { input, finish, sent } = line()
    input.paste('a'.repeat(1000))
    input.type('b')
    await finish()
    expect(sent()).toBe('a'.repeat(1000) + 'b')
  })
  it('stops a paste with Ctrl+C, which goes to the guest', async () => {
    const { input, next, finish, sent } = line()
    input.paste('a'.repeat(2000))
    await next()
    input.type('\x03')
    await finish()
    expect(sent().length).toBeLessThan(1000)
    expect(sent().endsWith('\x03')).toBe(true)
  })
})
