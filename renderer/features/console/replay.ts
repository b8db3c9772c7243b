import type { IDisposable, Terminal } from '@xterm/xterm'

/**
 * While a terminal is shown what was printed earlier, it must not answer the questions in it (where is the cursor, what are you):
 * the answers would be typed into the guest now. `isReplaying` is asked for each question.
 */
export function muteReplies(terminal: Terminal, isReplaying: () => boolean): IDisposable {
  const { parser } = terminal
  const mute = (): boolean => isReplaying()
  const muted = [
    parser.registerCsiHandler({ final: 'n' }, mute), // device status, cursor position
    parser.registerCsiHandler({ prefix: '?', final: 'n' }, mute),
    parser.registerCsiHandler({ final: 'c' }, mute), // device attributes, primary to tertiary
    parser.registerCsiHandler({ prefix: '>', final: 'c' }, mute),
    parser.registerCsiHandler({ prefix: '=', final: 'c' }, mute),
    parser.registerCsiHandler({ prefix: '>', final: 'q' }, mute), // name and version
    parser.registerCsiHandler({ final: 't' }, mute), // window reports
    parser.registerCsiHandler({ intermediates: '$', final: 'p' }, mute), // modes
    parser.registerCsiHandler({ prefix: '?', intermediates: '$', final: 'p' }, mute),
    parser.registerDcsHandler({ intermediates: '$', final: 'q' }, mute), // settings
    ...[4, 10, 11, 12].map((colour) => parser.registerOscHandler(colour, (data) => isReplaying() && data.includes('?')))
  ]
  return { dispose: () => muted.forEach((handler) => handler.dispose()) }
}
