import type { Command, Field } from './command'

const field = (given: Partial<Field> & Pick<Field, 'name' | 'description'>): Field => ({
  flag: given.name.replace(/[A-Z]/g, (letter) => '-' + letter.toLowerCase()),
  kind: 'boolean',
  list: false,
  commas: false,
  none: false,
  path: false,
  required: false,
  placeholder: '',
  choices: [],
  negatable: false,
  fallback: '',
  ...given
})
const own = (name: string, help: string, positional: Field[], flags: Field[]): Command => ({
  operation: null,
  words: [name],
  shorthand: null,
  help,
  task: false,
  reads: true,
  positional,
  flags
})

/** What only a command line has. */
export const ownCommands = [
  own(
    'console',
    'use the serial console of a running machine; Ctrl+] leaves',
    [field({ name: 'machine', kind: 'text', required: true, placeholder: '<machine>', description: 'name or id of the machine' })],
    [
      field({ name: 'log', description: 'print the last 64 KiB of what was printed before, first' }),
      field({ name: 'fromStart', description: 'print all of it since the start, first' })
    ]
  ),
  own('serve', 'run Strata without a window: machines, tasks and the HTTP API, until Ctrl+C', [], []),
  own('events', 'print everything that changes from now on, one JSON object a line, until Ctrl+C', [], []),
  own(
    'completion',
    'print a script that makes the shell complete commands, flags and machine names',
    [field({ name: 'shell', kind: 'choice', choices: ['bash'], required: true, placeholder: 'bash', description: 'then: source <(strata completion bash)' })],
    []
  )
] as const

/** Flags that every command takes. */
export const COMMON_FLAGS: readonly Field[] = [
  field({ name: 'json', description: 'print one JSON document; errors as JSON on the error output' }),
  field({ name: 'verbose', description: 'say more: causes of errors, what a task does' }),
  field({ name: 'help', description: 'show this' })
]
/** Beside these, of commands that start a task. */
export const TASK_FLAGS: readonly Field[] = [field({ name: 'detach', description: 'print the id of the task and leave it running' })]
