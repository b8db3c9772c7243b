/**
 * Keys that cannot be pressed, because the desktop or the window takes them, and text that is typed for the user.
 * A key is an X11 keysym and the name of its place on the keyboard (KeyboardEvent.code): QEMU goes by the place.
 */
export interface Key {
  keysym: number
  code: string
}

const CONTROL: Key = { keysym: 0xffe3, code: 'ControlLeft' }
const ALT: Key = { keysym: 0xffe9, code: 'AltLeft' }
const SHIFT: Key = { keysym: 0xffe1, code: 'ShiftLeft' }
const SUPER: Key = { keysym: 0xffeb, code: 'MetaLeft' }
const functionKey = (number: number): Key => ({ keysym: 0xffbd + number, code: `F${number}` })

export interface Combination {
  id: string
  label: string
  keys: readonly Key[]
}

export const combinations: readonly Combination[] = [
  { id: 'ctrl-alt-del', label: 'Ctrl+Alt+Delete', keys: [CONTROL, ALT, { keysym: 0xffff, code: 'Delete' }] },
  { id: 'ctrl-alt-backspace', label: 'Ctrl+Alt+Backspace', keys: [CONTROL, ALT, { keysym: 0xff08, code: 'Backspace' }] },
  ...[1, 2, 3, 7].map((number) => ({ id: `ctrl-alt-f${number}`, label: `Ctrl+Alt+F${number}`, keys: [CONTROL, ALT, functionKey(number)] })),
  { id: 'alt-tab', label: 'Alt+Tab', keys: [ALT, { keysym: 0xff09, code: 'Tab' }] },
  { id: 'alt-f4', label: 'Alt+F4', keys: [ALT, functionKey(4)] },
  { id: 'super', label: 'Super', keys: [SUPER] },
  { id: 'print', label: 'Print Screen', keys: [{ keysym: 0xff61, code: 'PrintScreen' }] }
]

/** Presses keys one after the other and lets them go in the opposite order. */
export function press(keys: readonly Key[], send: (key: Key, down: boolean) => void): void {
  for (const key of keys) send(key, true)
  for (const key of keys.toReversed()) send(key, false)
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
/** Keys of a US keyboard: their place, what they type, and what they type with Shift. */
const PLACES: readonly (readonly [code: string, plain: string, shifted: string])[] = [
  ...[...LETTERS].map((letter) => [`Key${letter.toUpperCase()}`, letter, letter.toUpperCase()] as const),
  ...[...'0123456789'].map((digit, index) => [`Digit${digit}`, digit, ')!@#$%^&*('.charAt(index)] as const),
  ['Backquote', '`', '~'],
  ['Minus', '-', '_'],
  ['Equal', '=', '+'],
  ['BracketLeft', '[', '{'],
  ['BracketRight', ']', '}'],
  ['Backslash', '\\', '|'],
  ['Semicolon', ';', ':'],
  ['Quote', "'", '"'],
  ['Comma', ',', '<'],
  ['Period', '.', '>'],
  ['Slash', '/', '?'],
  ['Space', ' ', ' ']
]
const TYPED = new Map<string, readonly Key[]>([
  ['\n', [{ keysym: 0xff0d, code: 'Enter' }]],
  ['\t', [{ keysym: 0xff09, code: 'Tab' }]],
  ...PLACES.flatMap(([code, plain, shifted]): [string, Key[]][] => [
    [shifted, [SHIFT, { keysym: shifted.charCodeAt(0), code }]],
    [plain, [{ keysym: plain.charCodeAt(0), code }]]
  ])
])

/** The key presses that type a text on a US keyboard, and how many of its characters no such keyboard has. */
export function keysFor(text: string): { presses: (readonly Key[])[]; untypable: number } {
  const characters = [...text.replace(/\r\n?/g, '\n')]
  const presses = characters.flatMap((character) => {
    const keys = TYPED.get(character)
    return keys ? [keys] : []
  })
  return { presses, untypable: characters.length - presses.length }
}
