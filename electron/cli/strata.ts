import type { AppError } from '#contract'
import { parseArguments, type Options } from './arguments'
import type { OpeningOptions } from './backend'
import type { Command } from './command'
import { guestFolder } from './guest-folder'
import { manifest } from './manifest'
import { resolveCommand } from './resolve'
import { runOperation, showError } from './run'
import { NoConnection, Session } from './session'
import { onEndRequest } from './signals'
import type { Run } from './tasks'
import { openTerminal, type Terminal } from './terminal'
import { UsageError } from './usage'

const { version } = manifest
const opening: OpeningOptions = { version, environment: process.env, builtinGuest: guestFolder(process.env, __dirname) }

/** The `strata` program. What only some commands need is loaded by those. */
async function main(typed: string[]): Promise<number> {
  const { leading, words } = splitLeading(typed)
  const options: Options = { json: leading.includes('--json'), verbose: leading.includes('--verbose'), help: leading.includes('--help') || leading.includes('-h'), detach: false }
  const terminal = openTerminal((code) => void leave(code))
  const note = (line: string): void => void (options.json || terminal.error(line + '\n'))
  const session = new Session({
    ...opening,
    onWaiting: (titles) => note(`Waiting for what others have begun here${titles.length > 0 ? `: ${titles.join(', ')}` : ''}. Ctrl+C does not wait.`),
    onOtherVersion: (other) => note(`strata: the Strata that owns the library is version ${other}, this one is ${version}.`)
  })
  let leaving = false
  const leave = async (code: number): Promise<void> => {
    // Asked twice, it does not wait any longer; the library's lock goes with the process.
    if (leaving) process.exit(code)
    leaving = true
    await session.close()
    process.exit(code)
  }
  onEndRequest((code) => void leave(code))

  if (leading.includes('--version')) {
    await terminal.out(`strata ${version}\n`)
    return 0
  }
  try {
    return await runWords(words, options, session, terminal)
  } finally {
    if (!leaving) await session.close()
  }
}

/** @param options from what stood before the words; completed here */
async function runWords(words: string[], options: Options, session: Session, terminal: Terminal): Promise<number> {
  let command: Command | undefined
  try {
    if (words[0] === '__complete') return await printCompletions(words.slice(2), session, terminal)
    const asksHelp = words[0] === 'help'
    const resolved = resolveCommand(asksHelp ? words.slice(1) : words)
    if (resolved.kind === 'help') return await printHelp(resolved.noun, terminal)
    command = resolved.command
    if (asksHelp || options.help) return await printHelp(command, terminal)
    const { rest } = resolved
    const { json, verbose } = options
    // Guessed before the rest is read: an error in that comes out in the form that was asked for.
    options.json ||= (rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest).includes('--json')
    const parsed = parseArguments(command, rest)
    if (parsed.options.help) return await printHelp(command, terminal)
    Object.assign(options, { ...parsed.options, json: json || parsed.options.json, verbose: verbose || parsed.options.verbose })
    return await dispatch({ command, input: parsed.input, options, session, terminal })
  } catch (thrown) {
    const error = expected(thrown)
    if (!error) throw thrown
    return showError({ terminal, options, ...(command && { command }) }, error)
  }
}

async function dispatch(run: Run): Promise<number> {
  if (run.command.operation !== null) return runOperation(run)
  switch (run.command.words[0]) {
    case 'console':
      return (await import('./console')).runConsole(run)
    case 'events':
      return (await import('./events')).runEvents(run)
    case 'serve':
      return (await import('./serve')).runServe(run, opening)
    case 'completion':
      await run.terminal.out((await import('./completion')).BASH)
      return 0
    default:
      throw new Error(`no such command: ${run.command.words.join(' ')}`)
  }
}

/** Flags before the noun: `strata --json machine list`. */
function splitLeading(typed: string[]): { leading: string[]; words: string[] } {
  const first = typed.findIndex((word) => !['--json', '--verbose', '--help', '-h', '--version'].includes(word))
  const at = first < 0 ? typed.length : first
  return { leading: typed.slice(0, at), words: typed.slice(at) }
}

async function printHelp(topic: Command | string | null, terminal: Terminal): Promise<number> {
  const { overview, nounHelp, commandHelp } = await import('./help')
  const look = { paint: terminal.paint, columns: terminal.columns }
  await terminal.out(topic === null ? overview(look) : typeof topic === 'string' ? nounHelp(topic, look) : commandHelp(topic, look))
  return 0
}

async function printCompletions(words: string[], session: Session, terminal: Terminal): Promise<number> {
  const { complete } = await import('./completion')
  await terminal.out((await complete(words, session)).map((word) => word + '\n').join(''))
  return 0
}

const expected = (thrown: unknown): AppError | null => (thrown instanceof UsageError || thrown instanceof NoConnection ? thrown.error : null)

void main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (bug: unknown) => {
    process.stderr.write(`strata: a mistake in Strata. Please report it.\n${bug instanceof Error ? bug.stack : String(bug)}\n`)
    process.exit(1)
  }
)
