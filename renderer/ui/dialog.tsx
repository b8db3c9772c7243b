import type { ReactNode } from 'react'
import { X } from 'lucide-react'
import { Dialog as Primitive } from 'radix-ui'
import { Button, IconButton } from './button'
import { cx } from './cx'
import styles from './dialog.module.css'
import { useFocusReturn } from './focus-return'

export interface DialogProps {
  title: string
  /** One sentence below the title. */
  description?: ReactNode
  onClose: () => void
  /** Buttons at the bottom right, the main one last. */
  footer?: ReactNode
  /** In pixels. */
  width?: number
  /** Without inner margins: the content lays itself out. */
  bare?: boolean
  /** At the right edge, over the full height, instead of in the middle. */
  side?: boolean
  className?: string | undefined
  children?: ReactNode
}

/** A modal dialog. Mount it to open it. Focus goes in and comes back; Escape closes it. */
export function Dialog({ title, description, onClose, footer, width = 480, bare, side, className, children }: DialogProps) {
  const { ref, onCloseAutoFocus } = useFocusReturn()
  return (
    <Primitive.Root open onOpenChange={(open) => !open && onClose()}>
      <Primitive.Portal>
        <Primitive.Overlay className={styles.scrim} />
        <Primitive.Content
          className={cx(styles.dialog, className)}
          data-side={side || undefined}
          style={{ width }}
          ref={ref}
          onOpenAutoFocus={(event) => event.target instanceof HTMLElement && focusFirst(event.target) && event.preventDefault()}
          onCloseAutoFocus={onCloseAutoFocus}
          // Messages lie above a dialog, and belong to it as little as to anything else.
          onInteractOutside={(event) => event.target instanceof Element && event.target.closest('[data-messages]') && event.preventDefault()}
          {...(description ? {} : { 'aria-describedby': undefined })}
        >
          <header className={styles.head}>
            <Primitive.Title className={styles.title}>{title}</Primitive.Title>
            <Primitive.Close asChild>
              <IconButton icon={X} label="Close" keys="Escape" />
            </Primitive.Close>
          </header>
          {description && <Primitive.Description className={styles.description}>{description}</Primitive.Description>}
          <div className={cx(styles.content, bare && styles.bare)}>{children}</div>
          {footer !== undefined && <footer className={styles.footer}>{footer}</footer>}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  )
}

/** What is filled in or chosen comes first, then what the dialog does; where that is dangerous, the way out. Not the button that closes it. */
const FIRST = [
  `.${styles.content} :is(input:not([type=radio]), input[type=radio]:checked, textarea, button:not([role=radio]), [role=radio][aria-checked=true], [tabindex='0'])`,
  `.${styles.footer} button[type=submit]:not([data-variant=danger], [aria-disabled=true])`,
  `.${styles.footer} button`
]

function focusFirst(dialog: HTMLElement): boolean {
  const first = FIRST.map((selector) => dialog.querySelector<HTMLElement>(selector)).find((element) => element !== null)
  first?.focus({ preventScroll: true })
  if (first instanceof HTMLInputElement && first.type === 'text') first.select()
  return first !== undefined
}

/** A dialog at the right edge of the window, for lists and details beside what one works on. */
export const Sheet = (props: Omit<DialogProps, 'side'>) => <Dialog {...props} side />

export interface ConfirmProps {
  title: string
  /** What will happen, and what is lost. */
  children: ReactNode
  /** The verb on the button. */
  verb: string
  danger?: boolean
  busy?: boolean
  onConfirm: () => void
  onClose: () => void
}

/** Asks before something that cannot be undone. The safe answer has the focus. */
export function ConfirmDialog({ title, children, verb, danger, busy, onConfirm, onClose }: ConfirmProps) {
  return (
    <Dialog
      title={title}
      onClose={onClose}
      width={420}
      footer={
        <>
          <Button autoFocus onClick={onClose}>
            Cancel
          </Button>
          <Button variant={danger ? 'danger' : 'primary'} busy={busy ?? false} onClick={onConfirm}>
            {verb}
          </Button>
        </>
      }
    >
      {children}
    </Dialog>
  )
}
