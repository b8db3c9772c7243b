import { resolve } from 'node:path'
import { nameOf, type Command, type Field } from './command'
import { COMMON_FLAGS, TASK_FLAGS } from './own-commands'
import { nearest } from './suggest'
import { badUsage } from './usage'

export interface Options {
  json: boolean
  verbose: boolean
  help: boolean
  detach: boolean
}
export interface Parsed {
  input: Record<string, unknown>
  options: Options
}

/**
 * Reads what was typed after the command's words. Flags end at `--`, or where a last positional that takes all that is left
 * begins: everything after that belongs to it, dashes and all.
 * @throws UsageError
 */
export function parseArguments(command: Command, typed: readonly string[]): Parsed {
  const common = [...COMMON_FLAGS, ...(command.task ? TASK_FLAGS : [])]
  const input: Record<string, unknown> = {}
  const given: Record<string, unknown> = {}
  const positional: string[] = []
  const words = [...typed]
  let flagsEnded = false

  while (words.length > 0) {
    const word = words.shift() ?? ''
    if (flagsEnded || word === '-' || !word.startsWith('-')) {
      positional.push(word)
      if (command.positional[positional.length - 1]?.list) flagsEnded = true
    } else if (word === '--') {
      flagsEnded = true
    } else if (word === '-h') {
      given.help = true
    } else {
      const flag = readFlag(command, common, word)
      assign(common.includes(flag.field) ? given : input, flag.field, flagValue(flag, words))
    }
  }
  const options: Options = { json: false, verbose: false, help: false, detach: false, ...given }
  if (!options.help) takePositional(command, positional, input)
  return { input, options }
}

interface Flag {
  field: Field
  negated: boolean
  value: string | null
}

function readFlag(command: Command, common: readonly Field[], word: string): Flag {
  const [typed = '', ...rest] = word.split('=')
  const value = rest.length > 0 ? rest.join('=') : null
  const known = [...command.flags, ...common]
  const name = typed.slice(2)
  const field = typed.startsWith('--') ? known.find((one) => one.flag === name) : undefined
  if (field) return { field, negated: false, value }
  const negated = typed.startsWith('--no-') ? known.find((one) => '--no-' + one.flag === typed && (one.kind === 'boolean' || one.list)) : undefined
  if (negated && value === null) return { field: negated, negated: true, value }
  const byPosition = command.positional.find((one) => one.flag === name)
  if (byPosition) throw badUsage(typed, `${nameOf(command)} takes ${placeholder(byPosition)} by its position, not as a flag.`, usageOf(command))
  const meant = nearest(typed, known.map((one) => '--' + one.flag))
  throw badUsage(typed, `${nameOf(command)} has no ${typed}.`, meant ? `Did you mean ${meant}?` : `See ${nameOf(command)} --help.`)
}

/** @param words what follows the flag; its value is taken from there */
function flagValue(flag: Flag, words: string[]): unknown {
  const { field, negated, value } = flag
  if (field.kind === 'boolean') return booleanOf(flag)
  return negated ? [] : valueOf(field, `--${field.flag}`, value ?? takeValue(field, words))
}

function booleanOf({ field, negated, value }: Flag): boolean {
  if (value === null) return !negated
  if (value === 'true' || value === 'yes' || value === 'on') return true
  if (value === 'false' || value === 'no' || value === 'off') return false
  throw badUsage(`--${field.flag}`, `--${field.flag} is either true or false, not “${value}”.`)
}

function takeValue(field: Field, words: string[]): string {
  const value = words[0]
  // A value may begin with one dash (a negative number); what begins with two is the next flag.
  if (value === undefined || value.startsWith('--')) throw badUsage(`--${field.flag}`, `--${field.flag} needs a value: --${field.flag} ${field.placeholder}.`)
  words.shift()
  return value
}

/** One typed value, or a list of them, in the form that the operation's schema checks. */
function valueOf(field: Field, shown: string, text: string): unknown {
  if (!field.list) return scalarOf(field, shown, text)
  if (field.none && text === 'none') return []
  return (field.commas ? text.split(',') : [text]).map((item) => scalarOf(field, shown, item))
}

function scalarOf(field: Field, shown: string, text: string): unknown {
  switch (field.kind) {
    case 'number': {
      const number = Number(text)
      if (text.trim() === '' || !Number.isFinite(number)) throw badUsage(shown, `${shown} takes a number, not “${text}”.`)
      return number
    }
    case 'choice': {
      if (field.choices.includes(text)) return text
      const meant = nearest(text, field.choices)
      throw badUsage(shown, `${shown} is ${choicesOf(field)}, not “${text}”.`, meant ? `Did you mean ${meant}?` : undefined)
    }
    case 'json':
      try {
        return JSON.parse(text) as unknown
      } catch (error) {
        throw badUsage(shown, `${shown} takes JSON: ${(error as Error).message}.`)
      }
    case 'boolean':
    case 'text':
      return field.path ? resolve(text) : text
  }
}

const choicesOf = ({ choices }: Field): string => (choices.length < 2 ? choices.join('') : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`)

function assign(target: Record<string, unknown>, field: Field, value: unknown): void {
  const before = target[field.name]
  if (field.list && Array.isArray(value) && Array.isArray(before)) target[field.name] = value.length === 0 ? [] : [...(before as unknown[]), ...(value as unknown[])]
  else if (before === undefined || before === value) target[field.name] = value
  else throw badUsage(`--${field.flag}`, `--${field.flag} was given twice, with different values.`)
}

/** What may be left out is left out when there are no more words than what is needed after it takes: `strata disk resize lab1 8G`. */
function takePositional(command: Command, given: string[], input: Record<string, unknown>): void {
  const words = [...given]
  for (const [index, field] of command.positional.entries()) {
    const needed = command.positional.slice(index + 1).filter((one) => one.required).length
    if (!field.required && needed > 0 && words.length <= needed) continue
    const taken = field.list ? words.splice(0) : words.splice(0, 1)
    if (taken.length === 0) {
      if (field.required) throw badUsage(field.name, `${nameOf(command)} needs ${placeholder(field)}.`, usageOf(command))
      continue
    }
    const values = taken.map((text) => scalarOf(field, placeholder(field), text))
    input[field.name] = field.list ? values : values[0]
  }
  if (words.length === 0) return
  const extra = words[0] ?? ''
  throw badUsage(extra, `${nameOf(command)} does not know what to do with “${extra}”.`, usageOf(command))
}

export const placeholder = (field: Field): string => (field.placeholder.startsWith('<') ? field.placeholder : `<${field.placeholder}>`)

/** `Usage: strata machine rename <machine> <name>` */
export function usageOf(command: Command): string {
  const positional = command.positional.map((field) => (field.required ? placeholder(field) : `[${placeholder(field)}]`))
  const flags = command.flags.length > 0 ? ['[flags]'] : []
  const list = command.positional.at(-1)?.list ? [positional.pop() ?? ''] : []
  return ['Usage:', nameOf(command), ...positional, ...flags, ...(list.length > 0 ? ['--', ...list] : [])].join(' ')
}
