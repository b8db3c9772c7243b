import type { Image, Machine } from '#contract'
import { COMMON_FLAGS, TASK_FLAGS } from './own-commands'
import { allCommands, commandsOf } from './resolve'
import type { Command } from './command'
import type { Session } from './session'

/** What `strata completion bash` prints. Names with spaces are quoted for the line they are put into. */
export const BASH = `# Completion for strata. Use it with: source <(strata completion bash)
_strata() {
  local IFS=$'\\n' word
  COMPREPLY=()
  while read -r word; do
    COMPREPLY+=("$(printf '%q' "$word")")
  done < <(strata __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _strata strata
`

/** The words that can stand where the last of these is being typed. */
export async function complete(typed: readonly string[], session: Session): Promise<string[]> {
  const words = typed.slice(0, -1)
  const begun = typed.at(-1) ?? ''
  return (await candidates(words, session)).filter((word) => word.startsWith(begun.replace(/^['"]/, '').replace(/\\(.)/g, '$1')))
}

async function candidates(words: readonly string[], session: Session): Promise<string[]> {
  const [noun, verb] = words
  if (noun === undefined) return [...new Set(allCommands.flatMap((command) => [command.words[0] ?? '', command.shorthand ?? []].flat()))]
  const command = commandsOf(noun).find((one) => one.words.length === 2 && one.words[1] === verb)
  const alone = allCommands.find((one) => one.shorthand === noun || (one.words.length === 1 && one.words[0] === noun))
  const verbs = words.length === 1 ? commandsOf(noun).flatMap((one) => one.words[1] ?? []) : []
  const found = command ?? alone
  if (!found) return verbs
  return [...verbs, ...(await argumentsOf(found, words.slice(command ? 2 : 1), session))]
}

async function argumentsOf(command: Command, words: readonly string[], session: Session): Promise<string[]> {
  if (words.includes('--')) return []
  const flags = [...command.flags, ...COMMON_FLAGS, ...(command.task ? TASK_FLAGS : [])]
  const last = flags.find((flag) => `--${flag.flag}` === words.at(-1) && flag.kind !== 'boolean')
  if (last) return last.name === 'source' ? ['builtin', 'none', ...(await names('image.list', session))] : last.choices
  const given = words.filter((word, index) => !word.startsWith('-') && !flags.some((flag) => flag.kind !== 'boolean' && `--${flag.flag}` === words[index - 1]))
  const next = command.positional[given.length]
  const values = next === undefined ? [] : next.placeholder === '<machine>' ? await names('machine.list', session) : next.placeholder === '<image>' ? await names('image.list', session) : next.choices
  return [...values, ...flags.map((flag) => `--${flag.flag}`)]
}

/** Only of an owner that is there: opening a library for a Tab would take too long. */
async function names(operation: 'machine.list' | 'image.list', session: Session): Promise<string[]> {
  if (!(await session.joined())) return []
  const listed = await session.call(operation, {}, true)
  return listed.ok ? (listed.value as (Machine | Image)[]).map((one) => one.name) : []
}
