import type { z } from 'zod'
import { failure } from '#contract'

/** An input that fits its schema, with defaults filled in. @throws bad-input, naming the first field that does not fit */
export function checkedInput<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const parsed = schema.safeParse(input ?? {})
  if (parsed.success) return parsed.data
  const [first] = parsed.error.issues
  const unknown = first?.code === 'unrecognized_keys' ? first.keys[0] : undefined
  const field = [...(first?.path ?? []), ...(unknown === undefined ? [] : [unknown])].join('.')
  const what = first?.message ?? 'it does not fit'
  throw failure('bad-input', field === '' ? `The input cannot be used: ${what}.` : `“${field}” cannot be used: ${what}.`, {
    field,
    cause: parsed.error.issues.map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`)
  })
}
