import { z } from 'zod'
import { operations, type Operation } from '#contract'
import { version } from '../../package.json'
import type { Command, Field, Manifest } from './command'

/** The parts of JSON Schema that the contract's inputs use; `cli` is the contract's own placeholder. */
interface Schema {
  type?: string
  enum?: unknown[]
  anyOf?: Schema[]
  items?: Schema
  pattern?: string
  properties?: Record<string, Schema>
  required?: string[]
  default?: unknown
  description?: string
  cli?: string
}

/** Every operation as a command: `machine.create` becomes `strata machine create`, its input's fields flags and positions. */
export function deriveManifest(): Manifest {
  return { version, commands: Object.entries(operations).map(([name, operation]) => commandOf(name, operation)) }
}

function commandOf(name: string, operation: Operation): Command {
  const schema = z.toJSONSchema(operation.input, { io: 'input' }) as Schema
  const fields = Object.entries(schema.properties ?? {}).map(([field, of]) => fieldOf(field, of, schema.required?.includes(field) ?? false))
  const positional = operation.positional.flatMap((wanted) => fields.find((field) => field.name === wanted) ?? [])
  return {
    operation: name,
    words: name.split('.'),
    shorthand: operation.shorthand ?? null,
    help: operation.help,
    task: operation.task,
    reads: operation.reads,
    positional,
    flags: fields.filter((field) => !positional.includes(field))
  }
}

function fieldOf(name: string, schema: Schema, required: boolean): Field {
  const list = schema.type === 'array'
  const item = list ? (schema.items ?? {}) : schema
  const kind = kindOf(item)
  const choices = (item.enum ?? []).map(String)
  return {
    name,
    flag: name.replace(/[A-Z]/g, (letter) => '-' + letter.toLowerCase()),
    kind,
    list,
    commas: list && !mayHoldComma(item),
    none: list && (item.anyOf?.some((form) => form.type === undefined || form.type === 'object') ?? false),
    path: schema.cli === '<file>',
    required,
    placeholder: schema.cli ?? item.cli ?? PLACEHOLDERS[kind](name, choices),
    description: schema.description ?? item.description ?? '',
    choices,
    negatable: kind === 'boolean' && schema.default !== false,
    fallback: fallbackOf(schema.default)
  }
}

const fallbackOf = (value: unknown): string => (value === undefined || value === false ? '' : typeof value === 'string' ? value : JSON.stringify(value))

/** A value with several forms is typed as text: the contract makes the structured form of it. */
function kindOf(schema: Schema): Field['kind'] {
  if (schema.enum) return 'choice'
  if (schema.type === 'boolean') return 'boolean'
  if (schema.type === 'number' || schema.type === 'integer') return 'number'
  if (schema.type === 'string' || schema.anyOf?.some((form) => form.type === 'string')) return 'text'
  return 'json'
}

const PLACEHOLDERS: Record<Field['kind'], (name: string, choices: string[]) => string> = {
  text: (name) => `<${name.replace(/[A-Z]/g, (letter) => '-' + letter.toLowerCase())}>`,
  number: () => '<number>',
  boolean: () => '',
  choice: (_name, choices) => choices.join('|'),
  json: () => '<json>'
}

function mayHoldComma(item: Schema): boolean {
  if (item.enum) return item.enum.some((choice) => String(choice).includes(','))
  return item.pattern === undefined || new RegExp(item.pattern, 'u').test('a,a')
}
