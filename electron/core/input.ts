import type { z } from 'zod'
import { failure } from '#contract'

/** An input that fits its schema, with defaults filled in. @throws bad-input, naming the first field that does not fit */
export function checkedInput<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const parsed = schema.safeParse(input ?? {}, { reportInput: true })
  if (parsed.success) return parsed.data
  const [first] = parsed.error.issues
  const unknown = first?.code === 'unrecognized_keys' ? first.keys[0] : undefined
  const field = [...(first?.path ?? []), ...(unknown === undefined ? [] : [unknown])].join('.')
  const what = first ? inWords(first) : 'it does not fit'
  throw failure('bad-input', field === '' ? `The input cannot be used: ${what}.` : `“${field}” cannot be used: ${what}.`, {
    field,
    cause: parsed.error.issues.map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`)
  })
}

/** What is wrong, as one would say it; the schemas' own messages are kept, and told with `--verbose`. */
function inWords(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'too_small':
      if (issue.origin !== 'number' && issue.origin !== 'int') return Number(issue.minimum) === 1 ? 'it is empty' : issue.message
      return `it has to be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`
    case 'too_big':
      if (issue.origin === 'string') return `it is longer than ${issue.maximum} characters`
      if (issue.origin !== 'number' && issue.origin !== 'int') return issue.message
      return `it has to be ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`
    case 'invalid_type':
      return issue.input === undefined ? 'it is missing' : `it has to be ${ofType(issue.expected)}`
    case 'invalid_value':
      return issue.values.length > 1 ? `it has to be one of ${issue.values.map(String).join(', ')}` : `it has to be ${String(issue.values[0])}`
    default:
      return issue.message
  }
}

const ofType = (type: string): string => ({ int: 'a whole number', array: 'a list', object: 'an object', record: 'an object' })[type] ?? `a ${type}`
