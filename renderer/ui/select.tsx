import { Check, ChevronDown } from 'lucide-react'
import { Select as Primitive } from 'radix-ui'
import { cx } from './cx'
import { useField } from './field'
import styles from './select.module.css'

export interface Option<V extends string> {
  value: V
  label: string
  /** A second line. */
  note?: string | undefined
  /** Why it cannot be chosen; it stays listed. */
  blocked?: string | null | undefined
}

export interface SelectProps<V extends string> {
  value: V
  onChange: (value: V) => void
  options: readonly Option<V>[]
  /** Its name, where no `Field` gives one. */
  label?: string
  className?: string | undefined
}

/** One of several, in a list that opens. */
export function Select<V extends string>({ value, onChange, options, label, className }: SelectProps<V>) {
  return (
    <Primitive.Root value={value} onValueChange={(chosen) => onChange(chosen as V)}>
      <Primitive.Trigger {...useField()} aria-label={label} className={cx(styles.trigger, className)}>
        <span className={styles.value}>
          <Primitive.Value />
        </span>
        <ChevronDown size={14} aria-hidden />
      </Primitive.Trigger>
      <Primitive.Portal>
        <Primitive.Content className={styles.list} position="popper" sideOffset={3} collisionPadding={8}>
          <Primitive.Viewport>
            {options.map((option) => (
              <Primitive.Item key={option.value} value={option.value} disabled={Boolean(option.blocked)} className={styles.option}>
                <span className={styles.mark}>
                  <Primitive.ItemIndicator>
                    <Check size={14} aria-hidden />
                  </Primitive.ItemIndicator>
                </span>
                <span className={styles.words}>
                  <Primitive.ItemText>{option.label}</Primitive.ItemText>
                  {(option.blocked ?? option.note) && <small>{option.blocked ?? option.note}</small>}
                </span>
              </Primitive.Item>
            ))}
          </Primitive.Viewport>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  )
}
