import type { LucideIcon } from 'lucide-react'
import { X } from 'lucide-react'
import { cx } from './cx'
import styles from './badge.module.css'
import { tip } from './tip'

/** The five colours of states. What is busy turns. */
export type StateTone = 'running' | 'paused' | 'busy' | 'failed' | 'off'

export interface StateLook {
  tone: StateTone
  icon: LucideIcon
  word: string
  turning?: boolean
}

/** A state's icon in its colour. Only beside its word. */
export function StateIcon({ look, size = 14 }: { look: StateLook; size?: number }) {
  const Icon = look.icon
  return <Icon size={size} strokeWidth={2} aria-hidden className={cx(styles.icon, look.turning && 'turning')} data-tone={look.tone} />
}

/** A state: colour, icon and word together, always. */
export function StateBadge({ look, hint }: { look: StateLook; hint?: string | null }) {
  return (
    <span className={styles.badge} data-tone={look.tone} {...tip(hint)}>
      <StateIcon look={look} size={13} />
      {look.word}
    </span>
  )
}

/** A tag, with a button to take it off where that is possible. */
export function Tag({ label, onRemove }: { label: string; onRemove?: () => void }) {
  return (
    <span className={styles.tag}>
      <span>{label}</span>
      {onRemove && (
        <button type="button" aria-label={`Remove the tag ${label}`} onClick={onRemove}>
          <X size={12} aria-hidden />
        </button>
      )}
    </span>
  )
}
