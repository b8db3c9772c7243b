import { useState, type InputHTMLAttributes, type KeyboardEvent, type Ref, type TextareaHTMLAttributes } from 'react'
import { Minus, Plus } from 'lucide-react'
import { cx } from './cx'
import { useField } from './field'
import styles from './field.module.css'

export interface TextInputProps extends Omit<InputHTMLAttributes<HTMLInputElement>, 'value' | 'onChange'> {
  ref?: Ref<HTMLInputElement>
  value: string
  onChange: (value: string) => void
  /** For what is typed to a machine: names of files, keys, commands. */
  mono?: boolean
}

export function TextInput({ value, onChange, mono, className, ...rest }: TextInputProps) {
  return (
    <input
      type="text"
      spellCheck={false}
      autoComplete="off"
      {...useField()}
      {...rest}
      className={cx(styles.input, mono && styles.mono, className)}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  )
}

export interface TextAreaProps extends Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, 'value' | 'onChange'> {
  ref?: Ref<HTMLTextAreaElement>
  value: string
  onChange: (value: string) => void
  mono?: boolean
}

export function TextArea({ value, onChange, mono, className, ...rest }: TextAreaProps) {
  return (
    <textarea
      spellCheck={false}
      {...useField()}
      {...rest}
      className={cx(styles.input, mono && styles.mono, className)}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  )
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
export function NumberInput({
  value,
  onChange,
  min = 0,
  max = Number.MAX_SAFE_INTEGER,
  step = 1,
  label,
  stepper = true,
  className
}: NumberInputProps) {
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
      <input
        type="text"
        inputMode="numeric"
        autoComplete="off"
        {...useField()}
        aria-label={label}
        role="spinbutton"
        aria-valuenow={value ?? undefined}
        aria-valuemin={min}
        aria-valuemax={max}
        className={styles.input}
        value={shown}
        onChange={(event) => set(event.target.value)}
        onKeyDown={onKeyDown}
      />
      {stepper && (
        <>
          <button
            type="button"
            tabIndex={-1}
            aria-label="Less"
            aria-disabled={(value ?? min) <= min}
            className={styles.step}
            onClick={() => move(-step)}
          >
            <Minus size={13} aria-hidden />
          </button>
          <button
            type="button"
            tabIndex={-1}
            aria-label="More"
            aria-disabled={(value ?? min) >= max}
            className={styles.step}
            onClick={() => move(step)}
          >
            <Plus size={13} aria-hidden />
          </button>
        </>
      )}
    </span>
  )
}

const parseWhole = (text: string): number | null => (/^\s*\d{1,15}\s*$/.test(text) ? Number(text) : null)
