import { useState, type ReactNode } from 'react'
import { X } from 'lucide-react'
import { Dialog as Primitive } from 'radix-ui'
import { Button, IconButton } from './button'
import { cx } from './cx'
import styles from './dialog.module.css'

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
  // A dialog that is mounted open has no trigger that the primitive could give the focus back to.
  const [before] = useState(() => document.activeElement)
  return (
    <Primitive.Root open onOpenChange={(open) => !open && onClose()}>
      <Primitive.Portal>
        <Primitive.Overlay className={styles.scrim} />
        <Primitive.Content
          className={cx(styles.dialog, className)}
          data-side={side || undefined}
          style={{ width }}
          onCloseAutoFocus={(event) => {
            event.preventDefault()
            if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true })
          }}
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
