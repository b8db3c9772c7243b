import { useId, useRef, type KeyboardEvent, type ReactNode } from 'react'
import { tip } from './tip'
import styles from './tabs.module.css'

export interface Tab<T extends string> {
  id: T
  label: string
  keys?: string | null
  /** A small mark behind the word, such as an unsaved change; read out with it. */
  mark?: string | null
}

export interface TabsProps<T extends string> {
  label: string
  tabs: readonly Tab<T>[]
  active: T
  onChange: (tab: T) => void
  /** The active tab's content. Hidden tabs are not rendered: what cannot be seen does no work. */
  children: ReactNode
}

/** Tabs with their panel. Arrow keys, Home and End move and choose (WAI-ARIA tabs with automatic activation). */
export function Tabs<T extends string>({ label, tabs, active, onChange, children }: TabsProps<T>) {
  const id = useId()
  const list = useRef<HTMLDivElement>(null)
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = tabs.findIndex((tab) => tab.id === active)
    const next = { ArrowRight: (at + 1) % tabs.length, ArrowLeft: (at + tabs.length - 1) % tabs.length, Home: 0, End: tabs.length - 1 }[
      event.key
    ]
    const tab = next === undefined ? undefined : tabs[next]
    if (!tab) return
    event.preventDefault()
    onChange(tab.id)
    list.current?.querySelector<HTMLElement>(`[data-tab="${tab.id}"]`)?.focus()
  }
  return (
    <>
      <div ref={list} role="tablist" aria-label={label} className={styles.list} onKeyDown={onKeyDown}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${id}-${tab.id}`}
            data-tab={tab.id}
            aria-selected={tab.id === active}
            aria-controls={`${id}-panel`}
            tabIndex={tab.id === active ? 0 : -1}
            className={styles.tab}
            {...tip(tab.keys ? tab.label : null, tab.keys)}
            onClick={() => onChange(tab.id)}
          >
            {tab.label}
            {tab.mark && <span className={styles.mark} role="img" aria-label={tab.mark} />}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${active}`} className={styles.panel}>
        {children}
      </div>
    </>
  )
}
