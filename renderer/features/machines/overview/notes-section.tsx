import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import type { Machine } from '#contract'
import { attempt, useMachines } from '../../../app'
import { Tag } from '../../../ui/badge'
import { TextArea, TextInput } from '../../../ui/inputs'
import { Section } from './section'
import styles from './overview.module.css'

/** Tags to find the machine by, and free text. Both are saved as they are left. */
export function NotesSection({ machine }: { machine: Machine }) {
  if (!machine.definition) return null
  return (
    <Section title="Tags and notes">
      <Tags id={machine.id} tags={machine.definition.tags} />
      <Notes id={machine.id} saved={machine.definition.notes} />
    </Section>
  )
}

function Tags({ id, tags }: { id: string; tags: readonly string[] }) {
  const [typed, setTyped] = useState('')
  const known = useMachines((state) => state.byId)
  const suggestions = [...new Set(Object.values(known).flatMap((machine) => machine.definition?.tags ?? []))]
    .filter((tag) => !tags.includes(tag))
    .sort()
  const save = (next: readonly string[]): void => void attempt('machine.edit', { machine: id, tag: [...next] })
  const add = (): void => {
    const tag = typed.replace(/[,\n]/g, ' ').trim()
    setTyped('')
    if (tag !== '' && !tags.includes(tag)) save([...tags, tag])
  }
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.key === 'Enter' || event.key === ',') {
      event.preventDefault()
      add()
    } else if (event.key === 'Backspace' && typed === '' && tags.length > 0) save(tags.slice(0, -1))
  }
  return (
    <div className={styles.tags}>
      {tags.map((tag) => (
        <Tag key={tag} label={tag} onRemove={() => save(tags.filter((one) => one !== tag))} />
      ))}
      <TextInput
        aria-label="Add a tag"
        placeholder="Add a tag"
        maxLength={32}
        list={`tags-${id}`}
        value={typed}
        onChange={setTyped}
        onKeyDown={onKeyDown}
        onBlur={add}
        className={styles.tagInput}
      />
      <datalist id={`tags-${id}`}>
        {suggestions.map((tag) => (
          <option key={tag} value={tag} />
        ))}
      </datalist>
    </div>
  )
}

function Notes({ id, saved }: { id: string; saved: string }) {
  const [draft, setDraft] = useState<string | null>(null)
  const unsaved = useRef<{ id: string; notes: string } | null>(null)
  useEffect(() => {
    unsaved.current = draft === null || draft === saved ? null : { id, notes: draft }
  })
  const save = (): void => {
    if (draft === null || draft === saved) return setDraft(null)
    void attempt('machine.edit', { machine: id, notes: draft }).then((result) => {
      if (result.ok) setDraft(null)
    })
  }
  // Leaving the page by the keyboard or the palette takes the text along too.
  useEffect(
    () => () => {
      if (unsaved.current) void attempt('machine.edit', { machine: unsaved.current.id, notes: unsaved.current.notes })
    },
    []
  )
  return (
    <TextArea aria-label="Notes" placeholder="Notes" rows={3} maxLength={10_000} value={draft ?? saved} onChange={setDraft} onBlur={save} />
  )
}
