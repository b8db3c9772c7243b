import { placeholder, usageOf } from './arguments'
import { nameOf, type Command, type Field } from './command'
import { EXAMPLES } from './examples'
import { manifest } from './manifest'
import { COMMON_FLAGS, TASK_FLAGS } from './own-commands'
import { allCommands, commandsOf } from './resolve'
import type { Paint } from './output/paint'
import { widthOf, wrap } from './output/text'

/** Help is easier to read when its lines are not as long as a wide terminal. */
const WIDEST = 100
/** A noun with so many verbs is a group of its own in the overview. */
const GROUP_OF = 3

interface Look {
  paint: Paint
  columns: number
}

/** `strata --help` */
export function overview(look: Look): string {
  const nouns = [...new Set(manifest.commands.map((command) => command.words[0] ?? ''))]
  const large = nouns.filter((noun) => commandsOf(noun).length >= GROUP_OF)
  const more = allCommands.filter((command) => !large.includes(command.words[0] ?? ''))
  return [
    `${look.paint.bold('strata')} ${manifest.version}: VM labs on your own machine\n`,
    'Usage: strata NOUN VERB [names] [flags]\n',
    ...large.map((noun) => list(noun.charAt(0).toUpperCase() + noun.slice(1), commandsOf(noun).map(entryOf), look, 29)),
    list('More', more.map(entryOf), look, 29),
    list('Flags', [...COMMON_FLAGS.map(flagEntry), ['--version', 'show the version']], look, 29),
    section('Examples', EXAMPLES.overview, look),
    'strata COMMAND --help tells more.\nExit codes: 0 done, 1 it failed, 2 it was typed wrongly.\n'
  ].join('\n')
}

/** `strata machine --help` */
export function nounHelp(noun: string, look: Look): string {
  return [list(`strata ${noun}`, commandsOf(noun).map(entryOf), look, 0), `strata ${noun} VERB --help tells more.\n`].join('\n')
}

/** `strata machine create --help` */
export function commandHelp(command: Command, look: Look): string {
  const others = command.words.length === 1 || command.shorthand ? allCommands.filter((other) => other !== command && other.words[0] === command.words[0]) : []
  const examples = EXAMPLES[command.operation ?? command.words[0] ?? ''] ?? []
  const flags = [...command.flags, ...(command.task ? TASK_FLAGS : [])]
  const fields = [...command.positional.map(positionalEntry), ...flags.map(flagEntry), ...COMMON_FLAGS.map(flagEntry)]
  const column = columnOf(fields)
  return [
    ...wrap(`${look.paint.bold(nameOf(command))}: ${command.help}`, widest(look), 0),
    '',
    usageOf(command),
    '',
    ...(command.positional.length > 0 ? [list('Names', command.positional.map(positionalEntry), look, column)] : []),
    ...(flags.length > 0 ? [list('Flags', flags.map(flagEntry), look, column)] : []),
    list('Flags of every command', COMMON_FLAGS.map(flagEntry), look, column),
    ...(examples.length > 0 ? [section('Examples', examples, look)] : []),
    ...(others.length > 0 ? [list('See also', others.map(entryOf), look, 0)] : [])
  ].join('\n')
}

type Entry = readonly [left: string, right: string]
const entryOf = (command: Command): Entry => [command.shorthand ?? command.words.join(' '), command.help]
const positionalEntry = (field: Field): Entry => [placeholder(field), field.description]

function flagEntry(field: Field): Entry {
  const left = field.kind === 'boolean' ? `--${field.negatable ? '[no-]' : ''}${field.flag}` : `--${field.flag} ${field.placeholder}`
  const notes = [field.fallback === '' ? '' : `default: ${field.fallback}`, field.list ? 'may be given several times' : ''].filter(Boolean)
  return [left, field.description + (notes.length > 0 ? ` (${notes.join('; ')})` : '')]
}

const widest = (look: Look): number => Math.min(WIDEST, look.columns)
/** Where the right column begins; a few very long flags do not push it out for all. */
const columnOf = (entries: readonly Entry[]): number => Math.min(34, Math.max(...entries.map(([left]) => widthOf(left) + 4)))

function list(title: string, entries: readonly Entry[], look: Look, column: number): string {
  const from = column || columnOf(entries)
  const lines = entries.flatMap(([left, right]) => {
    const [first = '', ...rest] = wrap(right, Math.max(20, widest(look) - from), 0)
    const fits = widthOf(left) + 4 <= from
    const indent = ' '.repeat(from)
    const head = fits ? ['  ' + left + ' '.repeat(from - 2 - widthOf(left)) + first] : ['  ' + left, indent + first]
    return [...head, ...rest.map((line) => indent + line)].map((line) => line.trimEnd())
  })
  return section(title, lines.map((line) => line.slice(2)), look)
}

const section = (title: string, lines: readonly string[], look: Look): string => [look.paint.bold(title), ...lines.map((line) => '  ' + line), ''].join('\n')
