import { useState } from 'react'
import { useField } from './field'
import styles from './field.module.css'
import { Select } from './select'
import { bytesOf, partsOf, UNITS, type SizeUnit } from './size-text'

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
      <input
        type="text"
        inputMode="decimal"
        autoComplete="off"
        {...useField()}
        aria-label={label}
        className={styles.input}
        style={{ textAlign: 'end' }}
        value={now.text}
        onChange={(event) => set(event.target.value, now.unit)}
      />
      <Select
        label={`Unit of ${label ?? 'the size'}`}
        value={now.unit}
        onChange={(unit) => set(now.text, unit)}
        options={UNITS.map((unit) => ({ value: unit, label: unit }))}
      />
    </span>
  )
}
