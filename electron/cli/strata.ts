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
  const options: Options = { json: leading.includes('--json'), verbose: leading.includes('--verbose'), help: false, detach: false }
  const terminal = openTerminal(() => void leave(0))
  const session = new Session({
    ...opening,
    onWaiting: (tasks) => terminal.error(`Waiting for what others started here: ${tasks.map((task) => task.title).join(', ')}\n`),
    onOtherVersion: (other) => terminal.error(`strata: the Strata that owns the library is version ${other}, this one is ${version}.\n`)
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

  let command: Command | undefined
  try {
    if (leading.includes('--version')) {
      await terminal.out(`strata ${version}\n`)
      return 0
    }
    if (words[0] === '__complete') return await printCompletions(words.slice(2), session, terminal)
    const wantsHelp = leading.includes('--help') || leading.includes('-h') || words[0] === 'help'
    const resolved = resolveCommand(words[0] === 'help' ? words.slice(1) : words)
    if (resolved.kind === 'help' || wantsHelp) return await printHelp(resolved.kind === 'help' ? resolved.noun : resolved.command, terminal)
    command = resolved.command
    // Known before parsing, so that an error in what was typed comes out in the form that was asked for.
    const flags = resolved.rest.includes('--') ? resolved.rest.slice(0, resolved.rest.indexOf('--')) : resolved.rest
    if (flags.includes('--json')) options.json = true
    const parsed = parseArguments(command, resolved.rest)
    Object.assign(options, { ...parsed.options, json: parsed.options.json || leading.includes('--json'), verbose: parsed.options.verbose || options.verbose })
    if (options.help) return await printHelp(command, terminal)
    return await dispatch({ command, input: parsed.input, options, session, terminal })
  } catch (thrown) {
    const error = expected(thrown)
    if (!error) throw thrown
    return showError({ terminal, options, ...(command && { command }) }, error)
  } finally {
    if (!leaving) await session.close()
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
