import { useRef, type KeyboardEvent, type PointerEvent } from 'react'
import styles from './splitter.module.css'

export interface SplitterProps {
  label: string
  /** Width of what stands at its left, in pixels. */
  width: number
  min: number
  max: number
  /** Where a double click and Home take it. */
  initial: number
  onChange: (width: number) => void
}

const STEP = 16

/** A border that can be moved, with the pointer or the arrow keys (WAI-ARIA window splitter). */
export function Splitter({ label, width, min, max, initial, onChange }: SplitterProps) {
  const from = useRef<{ x: number; width: number } | null>(null)
  const set = (wanted: number): void => onChange(Math.round(Math.max(min, Math.min(max, wanted))))
  const down = (event: PointerEvent<HTMLDivElement>): void => {
    event.currentTarget.setPointerCapture(event.pointerId)
    from.current = { x: event.clientX, width }
  }
  const move = (event: PointerEvent): void => {
    if (from.current) set(from.current.width + event.clientX - from.current.x)
  }
  const key = (event: KeyboardEvent): void => {
    const wanted = { ArrowLeft: width - STEP, ArrowRight: width + STEP, Home: initial, PageUp: max, PageDown: min }[event.key]
    if (wanted === undefined) return
    event.preventDefault()
    set(wanted)
  }
  return (
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={width}
      aria-valuemin={min}
      aria-valuemax={max}
      tabIndex={0}
      className={styles.splitter}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={() => (from.current = null)}
      onDoubleClick={() => set(initial)}
      onKeyDown={key}
    />
  )
}
