type Style = (text: string) => string
/** Colours, or the text as it is. */
export interface Paint {
  bold: Style
  dim: Style
  red: Style
  green: Style
  yellow: Style
  blue: Style
}

/** @param on a terminal shows it, and NO_COLOR (https://no-color.org) is not set */
export function makePaint(on: boolean): Paint {
  const style = (begin: number, end: number): Style => (text) => (on && text !== '' ? `\x1b[${begin}m${text}\x1b[${end}m` : text)
  return { bold: style(1, 22), dim: style(2, 22), red: style(31, 39), green: style(32, 39), yellow: style(33, 39), blue: style(34, 39) }
}
