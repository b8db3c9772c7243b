// TypeScript types as trees, and how they are written. A tree is one of { text }, { array }, { members }, { union }, { intersection }.
const WIDTH = 140

export const objectOf = (members) => ({ members })
export const union = (types) => (types.length === 1 ? types[0] : { union: types })
export const intersection = (types) => (types.length === 1 ? types[0] : { intersection: types })

/** An exported declaration. */
export function declaration(name, type) {
  if (type.members) return `export interface ${name} ${members(type, 0)}`
  const start = `export type ${name} =`
  return start + spaced(print(type, 0, start.length))
}

/**
 * Writes a type: on one line if it fits, else its parts one a line. What begins with a line break begins on the next line.
 * @param {number} indent of the line that it is part of
 * @param {number} column at which it begins
 */
export function print(type, indent, column = indent) {
  const flat = onOneLine(type)
  if (column + 1 + flat.length <= WIDTH) return flat
  if (type.members) return members(type, indent)
  if (type.array) return type.array.members ? `${members(type.array, indent)}[]` : `${bracketed(type.array, indent)}[]`
  if (type.intersection) return type.intersection.map((part) => (part.union ? bracketed(part, indent) : print(part, indent, column))).join(' & ')
  if (type.union) return type.union.every((part) => part.text) ? filled(type, indent) : type.union.map((part) => `\n${pad(indent + 2)}| ${choice(part, print(part, indent + 4))}`).join('')
  return flat
}

/** An object type with its members one a line, however short. */
export function members(type, indent) {
  const lines = type.members.map(({ name, optional, type: inner }) => {
    const key = pad(indent + 2) + keyText(name) + (optional ? '?:' : ':')
    return key + spaced(print(inner, indent + 2, key.length))
  })
  return `{\n${lines.join('\n')}\n${pad(indent)}}`
}

const pad = (indent) => ' '.repeat(indent)
const spaced = (text) => (text.startsWith('\n') ? text : ` ${text}`)
const keyText = (name) => (/^[A-Za-z_]\w*$/.test(name) ? name : `'${name}'`)
const choice = (type, text) => (type.intersection ? `(${text})` : text)
const bracketed = (type, indent) => `(${print(type, indent)}\n${pad(indent)})`

/** Many short values, as many on a line as fit. */
function filled(type, indent) {
  const lines = []
  for (const { text } of type.union) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + text.length + 3 <= WIDTH) lines[lines.length - 1] = `${last} | ${text}`
    else lines.push(`${pad(indent + 2)}| ${text}`)
  }
  return `\n${lines.join('\n')}`
}

function onOneLine(type) {
  if (type.text) return type.text
  if (type.members) return `{ ${type.members.map(({ name, optional, type: inner }) => `${keyText(name)}${optional ? '?' : ''}: ${onOneLine(inner)}`).join('; ')} }`
  if (type.array) return (type.array.union || type.array.intersection ? `(${onOneLine(type.array)})` : onOneLine(type.array)) + '[]'
  if (type.union) return type.union.map((part) => choice(part, onOneLine(part))).join(' | ')
  return type.intersection.map((part) => (part.union ? `(${onOneLine(part)})` : onOneLine(part))).join(' & ')
}
