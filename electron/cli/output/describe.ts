import type { Paint } from './paint'
import { block, formatSize, table } from './text'

/** Any result, readable: an object as lines, objects of one shape as a table. For operations without a view of their own. */
export function describe(value: unknown, paint: Paint): string {
  if (Array.isArray(value)) return describeList(value as unknown[], paint)
  if (typeof value !== 'object' || value === null) return value === undefined ? '' : cell('', value) + '\n'
  return block(Object.entries(value).map(([key, inner]) => [label(key), nested(key, inner, paint)] as const), paint.dim)
}

function describeList(list: unknown[], paint: Paint): string {
  if (!list.every((item) => typeof item === 'object' && item !== null)) return list.map((item) => cell('', item) + '\n').join('')
  const keys = [...new Set(list.flatMap((item) => Object.keys(item)))]
  const rows = list.map((item) => keys.map((key) => cell(key, (item as Record<string, unknown>)[key])))
  return keys.length === 0 ? '' : table(keys.map((key) => label(key).toUpperCase()), rows, paint.dim)
}

const nested = (key: string, value: unknown, paint: Paint): string =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? describe(value, paint).trimEnd() : cell(key, value)

/** Units are in the contract's names. */
function cell(key: string, value: unknown): string {
  if (value === null || value === undefined) return '-'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'number' && key.endsWith('Bytes')) return formatSize(value)
  if (typeof value === 'number' && key.endsWith('AtMs')) return new Date(value).toISOString()
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) return value.join(', ') || '-'
  return JSON.stringify(value)
}

/** `stopTimeoutSeconds` becomes `Stop timeout seconds`. */
function label(key: string): string {
  const words = key.replace(/(AtMs|Bytes)$/, '').replace(/[A-Z]/g, (letter) => ' ' + letter.toLowerCase())
  return words.charAt(0).toUpperCase() + words.slice(1)
}
