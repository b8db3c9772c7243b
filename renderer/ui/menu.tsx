import type { ReactNode } from 'react'
import type { LucideIcon } from 'lucide-react'
import { ContextMenu as ContextPrimitive, DropdownMenu as DropPrimitive } from 'radix-ui'
import { Kbd } from './kbd'
import styles from './menu.module.css'

export interface MenuItem {
  id: string
  label: string
  icon?: LucideIcon | undefined
  keys?: string | null | undefined
  /** Why it cannot be used; it stays listed, and says so when it is reached. */
  blocked?: string | null | undefined
  danger?: boolean
  /** Set for an entry that is on or off. */
  checked?: boolean | undefined
  onSelect: () => void
}
/** Entries; `null` is a line between groups. */
export type MenuItems = readonly (MenuItem | null)[]

/** What both kinds of menu offer to draw with; they differ in nothing else. */
type Parts = Pick<typeof DropPrimitive, 'Item' | 'Separator' | 'CheckboxItem' | 'ItemIndicator'>

function Entries({ items, parts }: { items: MenuItems; parts: Parts }) {
  return items.map((item, index) => {
    if (item === null) return <parts.Separator key={`line-${index}`} className={styles.line} />
    const Icon = item.icon
    const common = {
      className: styles.item,
      'aria-disabled': Boolean(item.blocked) || undefined,
      'data-danger': item.danger || undefined,
      // Not `disabled`: that would take it out of the reach of the keyboard, with its reason.
      onSelect: (event: Event) => (item.blocked ? event.preventDefault() : item.onSelect())
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
        <parts.Item key={item.id} {...common}>
          {content}
        </parts.Item>
      )
    }
    return (
      <parts.CheckboxItem key={item.id} {...common} checked={item.checked}>
        {content}
      </parts.CheckboxItem>
    )
  })
}

export interface MenuProps {
  /** The button that opens it. */
  trigger: ReactNode
  items: MenuItems
  align?: 'start' | 'end'
}

/** A menu on a button. */
export function Menu({ trigger, items, align = 'end' }: MenuProps) {
  return (
    <DropPrimitive.Root>
      <DropPrimitive.Trigger asChild>{trigger}</DropPrimitive.Trigger>
      <DropPrimitive.Portal>
        <DropPrimitive.Content className={styles.menu} align={align} sideOffset={4} collisionPadding={8}>
          <Entries items={items} parts={DropPrimitive} />
        </DropPrimitive.Content>
      </DropPrimitive.Portal>
    </DropPrimitive.Root>
  )
}

export interface ContextMenuProps {
  /** Asked when it opens. */
  items: () => MenuItems
  onOpenChange?: (open: boolean) => void
  children: ReactNode
}

/** A menu on the secondary button, or Shift+F10, of what it stands around. */
export function ContextMenu({ items, onOpenChange, children }: ContextMenuProps) {
  return (
    <ContextPrimitive.Root modal={false} {...(onOpenChange ? { onOpenChange } : {})}>
      <ContextPrimitive.Trigger asChild>{children}</ContextPrimitive.Trigger>
      <ContextPrimitive.Portal>
        <ContextPrimitive.Content className={styles.menu} collisionPadding={8}>
          <Lazy items={items} />
        </ContextPrimitive.Content>
      </ContextPrimitive.Portal>
    </ContextPrimitive.Root>
  )
}

/** Rendered only while the menu is open, so its entries are those of that moment. */
const Lazy = ({ items }: { items: () => MenuItems }) => <Entries items={items()} parts={ContextPrimitive} />
