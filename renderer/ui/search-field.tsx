import type { KeyboardEvent, Ref } from 'react'
import { Search, X } from 'lucide-react'
import { IconButton } from './button'
import styles from './field.module.css'

export interface SearchFieldProps {
  ref?: Ref<HTMLInputElement>
  value: string
  onChange: (value: string) => void
  label: string
  placeholder?: string
  keys?: string | null
  onKeyDown?: (event: KeyboardEvent<HTMLInputElement>) => void
}

/** Filters as one types. Escape empties it first; only when it is empty does Escape go on to what is around it. */
export function SearchField({ ref, value, onChange, label, placeholder, keys, onKeyDown }: SearchFieldProps) {
  const key = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.key === 'Escape' && value !== '') {
      event.preventDefault()
      event.stopPropagation()
      onChange('')
    } else onKeyDown?.(event)
  }
  return (
    <div className={styles.search}>
      <Search size={14} aria-hidden />
      <input
        ref={ref}
        type="search"
        spellCheck={false}
        aria-label={label}
        aria-keyshortcuts={keys ?? undefined}
        placeholder={placeholder ?? label}
        className={styles.input}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={key}
      />
      {value !== '' && <IconButton icon={X} size="small" label="Clear" className={styles.clear} onClick={() => onChange('')} />}
    </div>
  )
}
