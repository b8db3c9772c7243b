import type { ButtonHTMLAttributes, MouseEvent, Ref } from 'react'
import { LoaderCircle, type LucideIcon } from 'lucide-react'
import styles from './button.module.css'
import { cx } from './cx'
import { tip } from './tip'

export interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'disabled'> {
  ref?: Ref<HTMLButtonElement>
  variant?: 'plain' | 'primary' | 'quiet' | 'danger'
  size?: 'small' | 'normal' | 'large'
  icon?: LucideIcon
  /** Why it cannot be used now, one sentence; null or left out when it can. It stays focusable, so that everybody can ask. */
  blocked?: string | null
  /** Work that it started is under way: it cannot be pressed again. */
  busy?: boolean
  /** Shown when it is pointed at. */
  hint?: string | undefined
  /** Its shortcut, shown with the hint. */
  keys?: string | null | undefined
}

/** A button with a word on it. Pressing Enter in a form presses only one of `type="submit"`. */
export function Button({
  variant = 'plain',
  size = 'normal',
  icon: Icon,
  blocked,
  busy,
  hint,
  keys,
  className,
  children,
  onClick,
  type = 'button',
  ...rest
}: ButtonProps) {
  const inert = Boolean(blocked) || Boolean(busy)
  const press = (event: MouseEvent<HTMLButtonElement>): void => {
    if (inert) event.preventDefault()
    else onClick?.(event)
  }
  const Shown = busy ? LoaderCircle : Icon
  return (
    <button
      type={type}
      {...rest}
      {...tip(blocked ?? hint ?? (keys && typeof children === 'string' ? children : null), blocked ? null : keys)}
      className={cx(styles.button, className)}
      data-variant={variant}
      data-size={size}
      aria-disabled={inert || undefined}
      aria-busy={busy || undefined}
      aria-description={blocked ?? undefined}
      onClick={press}
    >
      {Shown && <Shown size={size === 'small' ? 14 : 15} strokeWidth={1.75} aria-hidden className={cx(busy && 'turning')} />}
      {children !== undefined && <span className={styles.word}>{children}</span>}
    </button>
  )
}

export interface IconButtonProps extends Omit<ButtonProps, 'children' | 'hint'> {
  icon: LucideIcon
  /** What it does: its name for screen readers and its hint. */
  label: string
}

/** A button that is only an icon; what it does is its hint. */
export function IconButton({ label, variant = 'quiet', className, ...rest }: IconButtonProps) {
  return <Button {...rest} variant={variant} hint={label} aria-label={label} className={cx(styles.square, className)} />
}
