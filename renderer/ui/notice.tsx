import { useId, useState, type ReactNode } from 'react'
import { ChevronRight, CircleAlert, CircleCheck, Info, TriangleAlert, type LucideIcon } from 'lucide-react'
import { Button } from './button'
import { CopyLine } from './copy-line'
import { cx } from './cx'
import styles from './notice.module.css'

export interface EmptyStateProps {
  icon: LucideIcon
  title: string
  children?: ReactNode
  /** The next step, as a button or two. */
  actions?: ReactNode
}

/** Where there is nothing yet: what would be here, and the next step. */
export function EmptyState({ icon: Icon, title, children, actions }: EmptyStateProps) {
  return (
    <div className={styles.empty}>
      <Icon size={28} strokeWidth={1.25} aria-hidden />
      <h2>{title}</h2>
      {children && <div className={styles.text}>{children}</div>}
      {actions && <div className={styles.actions}>{actions}</div>}
    </div>
  )
}

export type Tone = 'info' | 'good' | 'warning' | 'error'
const ICONS: Record<Tone, LucideIcon> = { info: Info, good: CircleCheck, warning: TriangleAlert, error: CircleAlert }

export interface BannerProps {
  tone: Tone
  children: ReactNode
  actions?: ReactNode
  /** Over the whole width, without a frame. */
  flush?: boolean
}

/** A line or two about the state of things, with what can be done about it. */
export function Banner({ tone, children, actions, flush }: BannerProps) {
  const Icon = ICONS[tone]
  return (
    <div className={cx(styles.banner, flush && styles.flush)} data-tone={tone} role={tone === 'error' ? 'alert' : 'status'}>
      <Icon size={16} strokeWidth={1.75} aria-hidden />
      <div className={styles.text}>{children}</div>
      {actions && <div className={styles.actions}>{actions}</div>}
    </div>
  )
}

export interface ErrorLike {
  code: string
  message: string
  next?: string | undefined
  causes: readonly string[]
  /** Of `qemu-exited`. */
  log?: readonly string[]
  /** Of `missing-program`: the command that installs it. */
  install?: string
}

export interface ErrorNoticeProps {
  error: ErrorLike
  /** Puts text on the clipboard. */
  onCopy: (text: string) => void
  actions?: ReactNode
  flush?: boolean
}

/** What happened, what to do next, and folded below it the causes in the system's own words. */
export function ErrorNotice({ error, onCopy, actions, flush }: ErrorNoticeProps) {
  const details = [...error.causes, ...(error.log ?? [])]
  return (
    <Banner tone="error" flush={flush ?? false} actions={actions}>
      <p className={styles.sentence} data-selectable>
        {error.message}
      </p>
      {error.next && <p data-selectable>{error.next}</p>}
      {error.install && <CopyLine text={error.install} onCopy={onCopy} />}
      {details.length > 0 && (
        <Details label="Details">
          <DetailsText text={details.join('\n')} onCopy={() => onCopy(errorText(error))} />
        </Details>
      )}
    </Banner>
  )
}

/** An error as text for a report. */
export function errorText(error: ErrorLike): string {
  return [`${error.message} (${error.code})`, error.next, ...error.causes, ...(error.log ?? [])].filter(Boolean).join('\n')
}

/** Folded until it is asked for. */
export function Details({ label, children, open: initially = false }: { label: string; children: ReactNode; open?: boolean }) {
  const [open, setOpen] = useState(initially)
  const id = useId()
  return (
    <div className={styles.details}>
      <button type="button" aria-expanded={open} aria-controls={id} className={styles.fold} onClick={() => setOpen(!open)}>
        <ChevronRight size={14} aria-hidden data-open={open || undefined} />
        {label}
      </button>
      {open && (
        <div id={id} className={styles.folded}>
          {children}
        </div>
      )}
    </div>
  )
}

/** Lines of a log, with a button to copy them. */
export function DetailsText({ text, onCopy }: { text: string; onCopy: (text: string) => void }) {
  return (
    <div className={styles.log}>
      <pre data-selectable tabIndex={0}>
        {text}
      </pre>
      <Button size="small" variant="quiet" onClick={() => onCopy(text)}>
        Copy
      </Button>
    </div>
  )
}
