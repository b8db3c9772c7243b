import type { Machine } from '#contract'
import { lookOf } from '../words'

/** What the list shows: machines under headings, or without any. */
export type ListEntry =
  | { kind: 'group'; key: string; label: string; count: number; folded: boolean }
  | { kind: 'machine'; key: string; id: string; group: string | null }

const collator = new Intl.Collator('en-GB', { numeric: true, sensitivity: 'base' })
export const byName = (a: Machine, b: Machine): number => collator.compare(a.name, b.name) || (a.id < b.id ? -1 : 1)

/** Text without case and accents, so that `muller` finds `Müller`. */
const plain = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()

/**
 * Whether a machine fits a filter: every word is a part of its name, of a tag or of its state's word. `tag:` and `state:` before a word
 * look there only.
 */
export function fits(machine: Machine, filter: string): boolean {
  const words = plain(filter).split(/\s+/).filter(Boolean)
  if (words.length === 0) return true
  const tags = (machine.definition?.tags ?? []).map(plain)
  const state = plain(lookOf(machine.state).word)
  const name = plain(machine.name)
  return words.every((word) => {
    if (word.startsWith('tag:')) return tags.some((tag) => tag.startsWith(word.slice(4)))
    if (word.startsWith('state:')) return state.startsWith(word.slice(6))
    return name.includes(word) || state.startsWith(word) || tags.some((tag) => tag.includes(word))
  })
}

export const UNTAGGED = ' '

/** The entries of the list in their order. A machine with several tags stands under each of them. */
export function listEntries(machines: readonly Machine[], filter: string, grouped: boolean, folded: readonly string[]): ListEntry[] {
  const shown = machines.filter((machine) => fits(machine, filter)).sort(byName)
  if (!grouped) return shown.map((machine) => ({ kind: 'machine', key: machine.id, id: machine.id, group: null }))
  const groups = new Map<string, Machine[]>()
  for (const machine of shown) {
    const tags = machine.definition?.tags.length ? machine.definition.tags : [UNTAGGED]
    for (const tag of tags) groups.set(tag, [...(groups.get(tag) ?? []), machine])
  }
  const labels = [...groups.keys()].sort((a, b) => Number(a === UNTAGGED) - Number(b === UNTAGGED) || collator.compare(a, b))
  return labels.flatMap((label): ListEntry[] => {
    const members = groups.get(label) ?? []
    const isFolded = folded.includes(label)
    const heading: ListEntry = {
      kind: 'group',
      key: `group ${label}`,
      label: label === UNTAGGED ? 'No tag' : label,
      count: members.length,
      folded: isFolded
    }
    if (isFolded) return [heading]
    return [
      heading,
      ...members.map((machine): ListEntry => ({ kind: 'machine', key: `${label} ${machine.id}`, id: machine.id, group: label }))
    ]
  })
}
