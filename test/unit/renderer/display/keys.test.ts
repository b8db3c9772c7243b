import { describe, expect, it } from 'vitest'
import { combinations, keysFor, press } from '../../../../renderer/features/display/keys'

describe('keys for a guest', () => {
  it('are let go in the opposite order of pressing', () => {
    const sent: string[] = []
    press(combinations.find(({ id }) => id === 'ctrl-alt-del')!.keys, (key, down) => sent.push(`${down ? '+' : '-'}${key.code}`))
    expect(sent).toEqual(['+ControlLeft', '+AltLeft', '+Delete', '-Delete', '-AltLeft', '-ControlLeft'])
  })
  it('type every character of a US keyboard, each from its place', () => {
    const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('')
    const { presses, untypable } = keysFor(printable + '\n\t')
    expect(untypable).toBe(0)
    expect(presses).toHaveLength(97)
    const codes = (text: string): string[][] => keysFor(text).presses.map((keys) => keys.map(({ code }) => code))
    expect(codes('a$Z\n')).toEqual([['KeyA'], ['ShiftLeft', 'Digit4'], ['ShiftLeft', 'KeyZ'], ['Enter']])
    expect(codes(' ')).toEqual([['Space']])
  })
  it('leave out what has no key, and say how much', () => {
    expect(keysFor('é😀x\r\n')).toMatchObject({ untypable: 2, presses: [[{ code: 'KeyX' }], [{ code: 'Enter' }]] })
  })
})
