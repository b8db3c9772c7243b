import { useId, type ReactNode } from 'react'
import { cx } from './cx'
import styles from './segments.module.css'
import { tip } from './tip'

export interface Segment<T extends string> {
  value: T
  label: string
  /** Beside it, smaller: a size, a count. */
  note?: ReactNode
  /** Shown when it is pointed at. */
  hint?: string
  /** What is carried when it is dragged away: a kind, and text. */
  carries?: readonly [kind: string, text: string]
}

export interface SegmentsProps<T extends string> {
  label: string
  value: T
  options: readonly Segment<T>[]
  onChange: (value: T) => void
}

/** One of a few: radio buttons that look like one control. */
export function Segments<T extends string>({ label, value, options, onChange }: SegmentsProps<T>) {
  const name = useId()
  return (
    <div role="radiogroup" aria-label={label} className={styles.segments}>
      {options.map((option) => (
        <label
          key={option.value}
          className={cx(styles.segment, option.value === value && styles.chosen)}
          draggable={option.carries !== undefined}
          onDragStart={(event) => option.carries && event.dataTransfer.setData(...option.carries)}
          {...tip(option.hint)}
        >
          <input
            type="radio"
            name={name}
            className="visually-hidden"
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          {option.label} {option.note !== undefined && <small>{option.note}</small>}
        </label>
      ))}
    </div>
  )
}
