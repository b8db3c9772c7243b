import { useEffect, useRef, useState } from 'react'
import { Kbd } from './kbd'
import styles from './tooltip.module.css'

/** Long enough that a passing pointer opens nothing; the next one opens at once. */
const DELAY_MS = 450
const WARM_MS = 600
const GAP = 6
const MARGIN = 6

interface Shown {
  text: string
  keys: string | null
  anchor: Element
}

/**
 * Shows what `tip()` put on elements. Mounted once. In the top layer, so that it stands above dialogs too; Escape hides it.
 */
export function TooltipLayer() {
  const [shown, setShown] = useState<Shown | null>(null)
  const layer = useRef<HTMLDivElement>(null)

  useEffect(() => watchTips(setShown), [])
  useEffect(() => {
    const element = layer.current
    if (!element || !shown) return
    // jsdom has no top layer.
    if ('showPopover' in element && !element.matches(':popover-open')) element.showPopover()
    place(element, shown.anchor)
  }, [shown])

  if (!shown) return null
  return (
    <div ref={layer} role="tooltip" popover="manual" className={styles.tooltip}>
      <span>{shown.text}</span>
      {shown.keys && <Kbd keys={shown.keys} />}
    </div>
  )
}

/** Follows pointer and focus over the document; answers the function that stops it. */
function watchTips(show: (shown: Shown | null) => void): () => void {
  let anchor: Element | null = null
  let timer: ReturnType<typeof setTimeout> | null = null
  let hiddenAtMs = 0
  let visible = false

  const hide = (): void => {
    if (timer) clearTimeout(timer)
    timer = null
    anchor = null
    if (visible) hiddenAtMs = Date.now()
    visible = false
    show(null)
  }
  const open = (element: Element, delayMs: number): void => {
    if (element === anchor) return
    hide()
    anchor = element
    timer = setTimeout(() => {
      const text = element.getAttribute('data-tip')
      if (!text || !element.isConnected) return
      visible = true
      show({ text, keys: element.getAttribute('data-tip-keys'), anchor: element })
    }, delayMs)
  }
  const over = (event: Event): void => {
    const found = event.target instanceof Element ? event.target.closest('[data-tip]') : null
    if (found) open(found, Date.now() - hiddenAtMs < WARM_MS ? 0 : DELAY_MS)
    else if (anchor) hide()
  }
  const focus = (event: Event): void => {
    const target = event.target
    if (target instanceof Element && target.matches('[data-tip]:focus-visible')) open(target, DELAY_MS)
  }
  const key = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' || visible) hide()
  }
  const stop = new AbortController()
  const on = (type: string, listener: (event: never) => void): void =>
    document.addEventListener(type, listener as EventListener, { signal: stop.signal, capture: true })
  on('pointerover', over)
  on('focusin', focus)
  on('focusout', hide)
  on('pointerdown', hide)
  on('scroll', hide)
  on('keydown', key)
  return () => {
    stop.abort()
    if (timer) clearTimeout(timer)
  }
}

/** Below the anchor, above it where there is no room; always inside the page. */
function place(element: HTMLElement, anchor: Element): void {
  const at = anchor.getBoundingClientRect()
  const { width, height } = element.getBoundingClientRect()
  const page = document.documentElement
  const below = at.bottom + GAP
  const top = below + height + MARGIN > page.clientHeight ? at.top - GAP - height : below
  const middle = at.left + at.width / 2 - width / 2
  const left = Math.max(MARGIN, Math.min(middle, page.clientWidth - width - MARGIN))
  element.style.top = `${Math.max(MARGIN, top)}px`
  element.style.left = `${left}px`
}
