import { useId, type ReactNode } from 'react'
import { useField } from './field'
import { tip } from './tip'
import styles from './toggles.module.css'

export interface ToggleProps {
  checked: boolean
  onChange: (checked: boolean) => void
  label: ReactNode
  /** A second line. */
  note?: ReactNode
  /** Why it cannot be changed; it stays focusable. */
  blocked?: string | null
}

/** On or off, at once. */
export const Switch = (props: ToggleProps) => <Toggle {...props} kind="switch" />
/** Yes or no, as a part of something that is confirmed later. */
export const Checkbox = (props: ToggleProps) => <Toggle {...props} kind="checkbox" />

function Toggle({ checked, onChange, label, note, blocked, kind }: ToggleProps & { kind: 'switch' | 'checkbox' }) {
  const id = useId()
  return (
    <label className={styles.toggle} data-blocked={Boolean(blocked) || undefined} {...tip(blocked)}>
      <input
        type="checkbox"
        {...useField()}
        role={kind === 'switch' ? 'switch' : undefined}
        className={kind === 'switch' ? styles.switch : styles.checkbox}
        checked={checked}
        aria-disabled={Boolean(blocked) || undefined}
        aria-describedby={note || blocked ? id : undefined}
        onChange={(event) => (blocked ? undefined : onChange(event.target.checked))}
      />
      <span className={styles.words}>
        <span>{label}</span>
        {(note ?? blocked) && <small id={id}>{blocked ?? note}</small>}
      </span>
    </label>
  )
}

export interface RadioCard<V extends string> {
  value: V
  label: string
  note?: ReactNode
  icon?: ReactNode
  /** Why it cannot be chosen; it stays listed. */
  blocked?: string | null | undefined
}

export interface RadioCardsProps<V extends string> {
  label: string
  value: V | null
  onChange: (value: V) => void
  cards: readonly RadioCard<V>[]
  columns?: number
}

/** One of a few, each with room to explain itself. Arrow keys move, as in any radio group. */
export function RadioCards<V extends string>({ label, value, onChange, cards, columns = 1 }: RadioCardsProps<V>) {
  const name = useId()
  return (
    <div
      role="radiogroup"
      aria-label={label}
      className={styles.cards}
      style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}
    >
      {cards.map((card) => (
        <label
          key={card.value}
          className={styles.card}
          data-chosen={card.value === value || undefined}
          data-blocked={Boolean(card.blocked) || undefined}
        >
          <input
            type="radio"
            name={name}
            className={styles.radio}
            checked={card.value === value}
            disabled={Boolean(card.blocked)}
            onChange={() => onChange(card.value)}
          />
          {card.icon !== undefined && <span className={styles.icon}>{card.icon}</span>}
          <span className={styles.words}>
            <span className={styles.title}>{card.label}</span>
            {(card.blocked ?? card.note) && <small>{card.blocked ?? card.note}</small>}
          </span>
        </label>
      ))}
    </div>
  )
}
