/** What the command line knows of itself. Plain data, made from the contract (derive.ts) when `strata` is built. */
export interface Manifest {
  version: string
  /** In the contract's order. */
  commands: Command[]
}

export interface Command {
  /** The operation that it runs, or null for what only a command line has. */
  operation: string | null
  /** As typed: `machine create`, `console`. */
  words: string[]
  /** A shorter way to type it: `monitor`. */
  shorthand: string | null
  help: string
  task: boolean
  reads: boolean
  positional: Field[]
  flags: Field[]
}

export interface Field {
  /** In the operation's input. */
  name: string
  /** As typed, without the dashes. */
  flag: string
  kind: 'text' | 'number' | 'boolean' | 'choice' | 'json'
  /** May be given several times; a positional one takes all that is left. */
  list: boolean
  /** A list whose items hold no comma: `--tag a,b` is two. */
  commas: boolean
  /** A list whose items cannot be the word `none`: that is the empty one. */
  none: boolean
  /** A path: relative to where the command is typed, not to where the core runs. */
  path: boolean
  required: boolean
  placeholder: string
  description: string
  choices: string[]
  /** A yes-or-no that has a reason to be no: `--no-display`. */
  negatable: boolean
  /** What holds when it is not given, as shown in help; empty when there is nothing to show. */
  fallback: string
}

/** As people type it: `strata machine create`, `strata monitor`. */
export const nameOf = (command: Command): string => `strata ${command.shorthand ?? command.words.join(' ')}`
