import { useRef } from 'react'
import { DropdownMenu as Primitive } from 'radix-ui'
import { Kbd } from './kbd'
import type { Anchor, MenuItems } from './menu'
import styles from './menu.module.css'

interface OpenMenuProps {
  anchor: Anchor
  /** Gets the focus when the menu closes. */
  from: HTMLElement | null
  align: 'start' | 'end'
  items: MenuItems
  onClose: () => void
}

/** An open menu at a place of the page. */
export function OpenMenu({ anchor, from, align, items, onClose }: OpenMenuProps) {
  const chosen = useRef<(() => void) | null>(null)
  return (
    <Primitive.Root open onOpenChange={(open) => !open && onClose()} modal={anchor.height > 0}>
      {/* Only a place: the button that opened it keeps its own role and focus. */}
      <Primitive.Trigger asChild>
        <span aria-hidden tabIndex={-1} className={styles.anchor} style={anchor} />
      </Primitive.Trigger>
      <Primitive.Portal>
        <Primitive.Content
          className={styles.menu}
          align={align}
          sideOffset={anchor.height > 0 ? 4 : 0}
          collisionPadding={8}
          loop
          onCloseAutoFocus={(event) => {
            event.preventDefault()
            from?.focus()
            // Only now: a dialog that it opens takes the focus, and gives it back to where it was.
            chosen.current?.()
            chosen.current = null
          }}
        >
          <Entries items={items} onChoose={(act) => (chosen.current = act)} />
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  )
}

function Entries({ items, onChoose }: { items: MenuItems; onChoose: (act: () => void) => void }) {
  return items.map((item, index) => {
    if (item === null) return <Primitive.Separator key={`line-${index}`} className={styles.line} />
    const Icon = item.icon
    const common = {
      className: styles.item,
      'aria-disabled': Boolean(item.blocked) || undefined,
      'data-danger': item.danger || undefined,
      // Not `disabled`: that would take it out of the reach of the keyboard, with its reason.
      onSelect: (event: Event) => (item.blocked ? event.preventDefault() : onChoose(item.onSelect))
    }
    const content = (
      <>
        <span className={styles.icon}>{Icon && <Icon size={15} strokeWidth={1.75} aria-hidden />}</span>
        <span className={styles.words}>
          {item.label}
          {item.blocked && <small>{item.blocked}</small>}
        </span>
        {item.keys && <Kbd keys={item.keys} />}
      </>
    )
    if (item.checked === undefined) {
      return (
        <Primitive.Item key={item.id} {...common}>
          {content}
        </Primitive.Item>
      )
    }
    return (
      <Primitive.CheckboxItem key={item.id} {...common} checked={item.checked}>
        {content}
      </Primitive.CheckboxItem>
    )
  })
}
