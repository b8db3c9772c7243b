import { memo } from 'react'
import { ChevronDown, ChevronRight } from 'lucide-react'
import { useMachine } from '../../../app'
import { StateIcon } from '../../../ui/badge'
import { lookOf } from '../words'
import type { ListEntry } from './filter'
import styles from './list.module.css'

interface MachineRowProps {
  id: string
  rowId: string
  top: number
  position: number
  count: number
  selected: boolean
  /** Something is being dragged over it that it takes. */
  target: boolean
  /** The tag under which it stands: said by the heading. */
  group: string | null
}

/** One machine: state, name, tags. Renders when its own machine changes. */
export const MachineRow = memo(function MachineRow({ id, rowId, top, position, count, selected, target, group }: MachineRowProps) {
  const machine = useMachine(id)
  if (!machine) return null
  const look = lookOf(machine.state)
  const tags = (machine.definition?.tags ?? []).filter((tag) => tag !== group)
  return (
    <div
      id={rowId}
      role="option"
      aria-label={[machine.name, look.word, ...tags].join(', ')}
      aria-selected={selected}
      aria-setsize={count}
      aria-posinset={position + 1}
      data-machine={id}
      data-target={target || undefined}
      className={styles.row}
      style={{ transform: `translateY(${top}px)` }}
    >
      <StateIcon look={look} />
      <span className={styles.name} dir="auto">
        {machine.name}
      </span>
      {tags.length > 0 && <span className={styles.tags}>{tags.join(' · ')}</span>}
      <span className={styles.word} data-tone={look.tone}>
        {look.word}
      </span>
    </div>
  )
})

interface GroupRowProps {
  entry: Extract<ListEntry, { kind: 'group' }>
  top: number
  onToggle: () => void
}

/** The heading of a tag; a click folds it. */
export function GroupRow({ entry, top, onToggle }: GroupRowProps) {
  const Icon = entry.folded ? ChevronRight : ChevronDown
  return (
    <div role="presentation" className={styles.group} style={{ transform: `translateY(${top}px)` }}>
      <button type="button" tabIndex={-1} aria-expanded={!entry.folded} onClick={onToggle}>
        <Icon size={13} aria-hidden />
        <span className={styles.name}>{entry.label}</span>
        <span className={styles.count}>{entry.count}</span>
      </button>
    </div>
  )
}
