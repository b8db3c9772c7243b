import { operations, type InputOf, type OperationName } from '#contract'

/**
 * The `strata` line that does the same as a call, from the contract as the command line derives it: words of the operation, then
 * positions, then flags. A flag that has its default is left out.
 */
export function strataLine<N extends OperationName>(name: N, input: InputOf<N>): string {
  const { positional, input: schema } = operations[name]
  const values = input as Readonly<Record<string, unknown>>
  const flags = Object.keys(schema.shape)
    .filter((field) => !positional.some((position) => position === field))
    .flatMap((field) => flagsOf(field, values[field]))
  return ['strata', ...name.split('.'), ...positional.map((field) => quoted(textOf(values[field]))), ...flags].join(' ')
}

function flagsOf(field: string, value: unknown): string[] {
  const flag = field.replace(/[A-Z]/g, (letter) => '-' + letter.toLowerCase())
  if (value === undefined) return []
  if (value === true) return ['--' + flag]
  if (value === false) return ['--no-' + flag]
  if (Array.isArray(value)) return value.length === 0 ? [`--no-${flag}`] : value.map((one) => `--${flag} ${quoted(textOf(one))}`)
  return [`--${flag} ${quoted(textOf(value))}`]
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** As a POSIX shell takes it. */
const quoted = (text: string): string => (/^[\p{L}\p{N}_./:=@%+,-]+$/u.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

/** What says nothing because it is the default: kept out of the line that people read and learn from. */
const QUIET: Partial<InputOf<'machine.create'>> = { accelerator: 'auto', firmware: 'bios', tpm: false, display: true, sharedMemory: false }

/** The line for a new machine, without what is the default anyway. */
export function createLine(input: InputOf<'machine.create'>): string {
  const spoken = Object.fromEntries(
    Object.entries(input).filter(
      ([field, value]) =>
        QUIET[field as keyof typeof QUIET] !== value && !(field === 'forward' && Array.isArray(value) && value.length === 0)
    )
  )
  return strataLine('machine.create', spoken as InputOf<'machine.create'>)
}
