import { useEffect, useRef, type ReactNode } from 'react'
import { CircleAlert, CircleCheck, Info, X, type LucideIcon } from 'lucide-react'
import { Button, IconButton } from './button'
import styles from './toast.module.css'

export interface ToastAction {
  label: string
  keys?: string
  run: () => void
}

export interface Toast {
  id: number
  tone: 'info' | 'good' | 'error'
  message: string
  /** A second sentence, such as what to do next. */
  note?: string | undefined
  actions: readonly ToastAction[]
  /** How long it stays when nobody touches it; null until it is dismissed. */
  lifeMs: number | null
}

const ICONS: Record<Toast['tone'], LucideIcon> = { info: Info, good: CircleCheck, error: CircleAlert }

/** Short messages at the bottom. They wait while they are pointed at or hold the focus. */
export function Toasts({ toasts, onDismiss }: { toasts: readonly Toast[]; onDismiss: (id: number) => void }) {
  return (
    <section className={styles.toasts} data-messages aria-label="Messages" aria-live="polite" role="status">
      {toasts.map((toast) => (
        <ToastCard key={toast.id} toast={toast} onDismiss={() => onDismiss(toast.id)} />
      ))}
    </section>
  )
}

function ToastCard({ toast, onDismiss }: { toast: Toast; onDismiss: () => void }): ReactNode {
  const card = useRef<HTMLDivElement>(null)
  const dismiss = useRef(onDismiss)
  useEffect(() => {
    dismiss.current = onDismiss
  })
  useEffect(() => {
    const { lifeMs } = toast
    const element = card.current
    if (lifeMs === null || !element) return
    let timer: ReturnType<typeof setTimeout> | null = null
    const wait = (): void => {
      timer ??= setTimeout(() => dismiss.current(), lifeMs)
    }
    const hold = (): void => {
      if (timer) clearTimeout(timer)
      timer = null
    }
    const resume = (): void => {
      if (!element.matches(':hover') && !element.contains(document.activeElement)) wait()
    }
    wait()
    element.addEventListener('pointerenter', hold)
    element.addEventListener('focusin', hold)
    element.addEventListener('pointerleave', resume)
    element.addEventListener('focusout', resume)
    return () => {
      hold()
      element.removeEventListener('pointerenter', hold)
      element.removeEventListener('focusin', hold)
      element.removeEventListener('pointerleave', resume)
      element.removeEventListener('focusout', resume)
    }
  }, [toast])

  const Icon = ICONS[toast.tone]
  return (
    <div ref={card} className={styles.toast} data-tone={toast.tone}>
      <Icon size={16} strokeWidth={1.75} aria-hidden />
      <div className={styles.words}>
        <p>{toast.message}</p>
        {toast.note && <p className={styles.note}>{toast.note}</p>}
      </div>
      {toast.actions.map((action) => (
        <Button
          key={action.label}
          size="small"
          keys={action.keys}
          onClick={() => {
            action.run()
            onDismiss()
          }}
        >
          {action.label}
        </Button>
      ))}
      <IconButton icon={X} size="small" label="Dismiss" onClick={onDismiss} />
    </div>
  )
}
