import { useState, type InputHTMLAttributes, type KeyboardEvent, type Ref, type TextareaHTMLAttributes } from 'react'
import { Minus, Plus, Search, X } from 'lucide-react'
import { IconButton } from './button'
import { cx } from './cx'
import { useField } from './field'
import styles from './field.module.css'
import { Select } from './select'
import { bytesOf, partsOf, UNITS, type SizeUnit } from './size-text'

export interface TextInputProps extends Omit<InputHTMLAttributes<HTMLInputElement>, 'value' | 'onChange'> {
  ref?: Ref<HTMLInputElement>
  value: string
  onChange: (value: string) => void
  /** For what is typed to a machine: names of files, keys, commands. */
  mono?: boolean
}

export function TextInput({ value, onChange, mono, className, ...rest }: TextInputProps) {
  return <input type="text" spellCheck={false} autoComplete="off" {...useField()} {...rest} className={cx(styles.input, mono && styles.mono, className)} value={value} onChange={(event) => onChange(event.target.value)} />
}

export interface TextAreaProps extends Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, 'value' | 'onChange'> {
  ref?: Ref<HTMLTextAreaElement>
  value: string
  onChange: (value: string) => void
  mono?: boolean
}

export function TextArea({ value, onChange, mono, className, ...rest }: TextAreaProps) {
  return <textarea spellCheck={false} {...useField()} {...rest} className={cx(styles.input, mono && styles.mono, className)} value={value} onChange={(event) => onChange(event.target.value)} />
}

export interface NumberInputProps {
  /** Null while what is typed is no number. */
  value: number | null
  onChange: (value: number | null) => void
  min?: number
  max?: number
  step?: number
  label?: string
  /** False where one step more or less means nothing, as in a port. */
  stepper?: boolean
  className?: string | undefined
}

/** A whole number with steps. What is typed is never corrected behind one's back: the field's error says what is wrong. */
export function NumberInput({ value, onChange, min = 0, max = Number.MAX_SAFE_INTEGER, step = 1, label, stepper = true, className }: NumberInputProps) {
  const [typed, setTyped] = useState(value === null ? '' : String(value))
  // Follows the value when it changes from outside; keeps what is typed while it means the same.
  const shown = parseWhole(typed) === value ? typed : value === null ? typed : String(value)
  const set = (text: string): void => {
    setTyped(text)
    onChange(parseWhole(text))
  }
  const move = (by: number): void => set(String(Math.max(min, Math.min(max, (value ?? min) + by))))
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return
    event.preventDefault()
    move(event.key === 'ArrowUp' ? step : -step)
  }
  return (
    <span className={cx(styles.number, className)}>
      <input type="text" inputMode="numeric" autoComplete="off" {...useField()} aria-label={label} role="spinbutton" aria-valuenow={value ?? undefined} aria-valuemin={min} aria-valuemax={max} className={styles.input} value={shown} onChange={(event) => set(event.target.value)} onKeyDown={onKeyDown} />
 {stepper && (<>
      <button type="button" tabIndex={-1} aria-label="Less" aria-disabled={(value ?? min) <= min} className={styles.step} onClick={() => move(-step)}>
        <Minus size={13} aria-hidden />
      </button>
      <button type="button" tabIndex={-1} aria-label="More" aria-disabled={(value ?? min) >= max} className={styles.step} onClick={() => move(step)}>
        <Plus size={13} aria-hidden />
      </button>
      </>)}
    </span>
  )
}

const parseWhole = (text: string): number | null => (/^\s*\d{1,15}\s*$/.test(text) ? Number(text) : null)

export interface SizeInputProps {
  /** In bytes; null while what is typed is no size. */
  value: number | null
  onChange: (bytes: number | null) => void
  label?: string
}

/** A size as a number and a binary unit. A unit may also be typed: `1.5G`. */
export function SizeInput({ value, onChange, label }: SizeInputProps) {
  const [typed, setTyped] = useState(() => partsOf(value ?? 0))
  const now = bytesOf(typed.text, typed.unit) === value || value === null ? typed : partsOf(value)
  const set = (text: string, unit: SizeUnit): void => {
    const withUnit = /^\s*([\d.,]+)\s*([kmgt])(i?b)?\s*$/i.exec(text)
    const parts = withUnit ? { text: withUnit[1] ?? '', unit: ((withUnit[2] ?? '').toUpperCase() + 'iB') as SizeUnit } : { text, unit }
    setTyped(parts)
    onChange(bytesOf(parts.text, parts.unit))
  }
  return (
    <span className={styles.size}>
      <input type="text" inputMode="decimal" autoComplete="off" {...useField()} aria-label={label} className={styles.input} style={{ textAlign: 'end' }} value={now.text} onChange={(event) => set(event.target.value, now.unit)} />
      <Select label={`Unit of ${label ?? 'the size'}`} value={now.unit} onChange={(unit) => set(now.text, unit)} options={UNITS.map((unit) => ({ value: unit, label: unit }))} />
    </span>
  )
}

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
      <input ref={ref} type="search" spellCheck={false} aria-label={label} aria-keyshortcuts={keys ?? undefined} placeholder={placeholder ?? label} className={styles.input} value={value} onChange={(event) => onChange(event.target.value)} onKeyDown={key} />
      {value !== '' && <IconButton icon={X} size="small" label="Clear" className={styles.clear} onClick={() => onChange('')} />}
    </div>
  )
}
