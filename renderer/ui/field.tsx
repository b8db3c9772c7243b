import { createContext, useContext, useId, type ReactNode } from 'react'
import { CircleAlert } from 'lucide-react'
import styles from './field.module.css'
import { cx } from './cx'

interface Wiring {
  id: string
  describedBy: string | undefined
  invalid: boolean
}
const FieldContext = createContext<Wiring | null>(null)

/** What a control inside a `Field` puts on its element. Outside one it is empty. */
export function useField(): { id?: string; 'aria-describedby'?: string | undefined; 'aria-invalid'?: true } {
  const wiring = useContext(FieldContext)
  if (!wiring) return {}
  return { id: wiring.id, 'aria-describedby': wiring.describedBy, ...(wiring.invalid ? { 'aria-invalid': true as const } : {}) }
}

export interface FieldProps {
  label: string
  /** One line on what it is for; stays while there is an error. */
  hint?: ReactNode
  /** What is wrong with the value; null when nothing is. */
  error?: string | null | undefined
  /** Beside the label, at the right: such as the host's maximum. */
  aside?: ReactNode
  /** `row`: label at the left of the control. */
  layout?: 'column' | 'row'
  className?: string | undefined
  children: ReactNode
}

/** A labelled control with its hint and its error. The error is announced when it appears, and has its place, so nothing jumps. */
export function Field({ label, hint, error, aside, layout = 'column', className, children }: FieldProps) {
  const id = useId()
  const describedBy = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined
  return (
    <div className={cx(styles.field, className)} data-layout={layout}>
      <div className={styles.head}>
        <label htmlFor={id}>{label}</label>
        {aside !== undefined && <span className={styles.aside}>{aside}</span>}
      </div>
      <div className={styles.body}>
        <FieldContext value={{ id, describedBy, invalid: Boolean(error) }}>{children}</FieldContext>
        {hint && (
          <p id={`${id}-hint`} className={styles.hint}>
            {hint}
          </p>
        )}
        <p id={`${id}-error`} className={styles.error} role="alert">
          {error && (
            <>
              <CircleAlert size={13} aria-hidden /> <span>{error}</span>
            </>
          )}
        </p>
      </div>
    </div>
  )
}

/** Several controls under one name. */
export function FieldGroup({ label, hint, aside, children }: { label: string; hint?: ReactNode; aside?: ReactNode; children: ReactNode }) {
  const id = useId()
  return (
    <div role="group" aria-labelledby={id} className={styles.field}>
      <div className={styles.head}>
        <span id={id}>{label}</span>
        {aside}
      </div>
      {children}
      {hint && <p className={styles.hint}>{hint}</p>}
    </div>
  )
}
