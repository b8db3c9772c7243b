import type { Command } from './command'
import { manifest } from './manifest'
import { COMMON_FLAGS, ownCommands } from './own-commands'
import { nearest } from './suggest'
import { unknownCommand } from './usage'

export type Resolved =
  | { kind: 'command'; command: Command; rest: string[] }
  /** Help on everything, or on one noun. */
  | { kind: 'help'; noun: string | null }

export const allCommands: readonly Command[] = [...manifest.commands, ...ownCommands]
const nounOf = (command: Command): string => command.words[0] ?? ''
export const commandsOf = (noun: string): Command[] => allCommands.filter((command) => nounOf(command) === noun)

/**
 * Finds the command that the first words name. A noun with a shorthand takes its verbs first: `strata console log lab1` is the
 * log of lab1, `strata console lab1` its console; `strata console -- log` is the console of a machine called log.
 * @throws UsageError naming what is not known, with the nearest known word
 */
export function resolveCommand(typed: readonly string[]): Resolved {
  const words = verbFirst(typed)
  const [noun, verb] = words
  if (noun === undefined) return { kind: 'help', noun: null }
  const ofNoun = commandsOf(noun)
  const exact = ofNoun.find((command) => command.words.length === 2 && command.words[1] === verb)
  if (exact) return { kind: 'command', command: exact, rest: words.slice(2) }
  const alone = allCommands.find((command) => command.shorthand === noun || (command.words.length === 1 && nounOf(command) === noun))
  if (alone) return { kind: 'command', command: alone, rest: words.slice(1) }
  if (ofNoun.length === 0) throw unknownNoun(noun)
  if (verb === undefined || verb.startsWith('-')) return { kind: 'help', noun }
  const meant = nearest(verb, ofNoun.map((command) => command.words[1] ?? ''))
  const known = ofNoun.map((command) => command.words[1]).join(', ')
  throw unknownCommand(`${noun} ${verb}`, `strata ${noun} has no “${verb}”.`, meant ? `Did you mean strata ${noun} ${meant}?` : `It has: ${known}.`)
}

/** `strata machine --json list`: what every command takes may stand before the verb. */
function verbFirst([noun, ...rest]: readonly string[]): string[] {
  if (noun === undefined) return []
  const at = rest.findIndex((word) => !COMMON_FLAGS.some((flag) => `--${flag.flag}` === word))
  const verb = rest[at]
  return verb !== undefined && commandsOf(noun).some((command) => command.words[1] === verb) ? [noun, verb, ...rest.slice(0, at), ...rest.slice(at + 1)] : [noun, ...rest]
}

function unknownNoun(noun: string): Error {
  const nouns = [...new Set(allCommands.map(nounOf))]
  const meant = nearest(noun, nouns)
  // `strata start lab1` is what people try first.
  const asVerb = allCommands.find((command) => command.words[1] === noun)
  const hint = meant ?? asVerb?.words.join(' ')
  return unknownCommand(noun, `strata has no “${noun}”.`, hint ? `Did you mean strata ${hint}?` : 'See strata --help.')
}
