import {
  cloneElement,
  useRef,
  useState,
  type HTMLAttributes,
  type KeyboardEvent,
  type MouseEvent,
  type ReactElement,
  type ReactNode
} from 'react'
import type { LucideIcon } from 'lucide-react'
import { late } from './late'

/** What is drawn comes with the first menu that opens, not with the window. */
const OpenMenu = late(() => import('./menu-open').then((module) => module.OpenMenu))

export interface MenuItem {
  id: string
  label: string
  icon?: LucideIcon | undefined
  keys?: string | null | undefined
  /** Why it cannot be used; it stays listed, and says so. */
  blocked?: string | null | undefined
  danger?: boolean
  /** Set for an entry that is on or off. */
  checked?: boolean | undefined
  onSelect: () => void
}
/** Entries; `null` is a line between groups. */
export type MenuItems = readonly (MenuItem | null)[]

/** A place on the page, in pixels: of a button, or of the pointer. */
export interface Anchor {
  left: number
  top: number
  width: number
  height: number
}

interface Opened {
  anchor: Anchor
  /** Gets the focus back. */
  from: HTMLElement | null
}

export interface MenuProps {
  /** The button that opens it. */
  trigger: ReactElement<HTMLAttributes<HTMLElement>>
  items: MenuItems
  align?: 'start' | 'end'
}

/** A menu on a button. */
export function Menu({ trigger, items, align = 'end' }: MenuProps) {
  const [opened, setOpened] = useState<Opened | null>(null)
  const host = useRef<HTMLSpanElement>(null)
  const open = (): void => {
    const button = host.current?.querySelector<HTMLElement>('button')
    if (!button || button.getAttribute('aria-disabled') === 'true') return
    const { left, top, width, height } = button.getBoundingClientRect()
    setOpened({ anchor: { left, top, width, height }, from: button })
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowDown') return
    event.preventDefault()
    open()
  }
  return (
    <>
      <span ref={host} style={{ display: 'contents' }} onClick={open} onKeyDown={onKeyDown}>
        {cloneElement(trigger, { 'aria-haspopup': 'menu', 'aria-expanded': opened !== null })}
      </span>
      {opened && <OpenMenu {...opened} align={align} items={items} onClose={() => setOpened(null)} />}
    </>
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
  const [opened, setOpened] = useState<(Opened & { items: MenuItems }) | null>(null)
  const open = (event: MouseEvent): void => {
    if (event.defaultPrevented) return
    event.preventDefault()
    const from = document.activeElement instanceof HTMLElement ? document.activeElement : null
    setOpened({ anchor: { left: event.clientX, top: event.clientY, width: 0, height: 0 }, from, items: items() })
    onOpenChange?.(true)
  }
  const close = (): void => {
    setOpened(null)
    onOpenChange?.(false)
  }
  return (
    <>
      <div style={{ display: 'contents' }} onContextMenu={open}>
        {children}
      </div>
      {opened && (
        // A key by place: a second click elsewhere opens it there.
        <OpenMenu key={`${opened.anchor.left} ${opened.anchor.top}`} {...opened} align="start" onClose={close} />
      )}
    </>
  )
}
