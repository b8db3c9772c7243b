import { useMemo, useRef, useState, type DragEvent, type KeyboardEvent, type MouseEvent } from 'react'
import { useVirtualizer } from '@tanstack/react-virtual'
import { DISK_DRAG, goToMachine, openOverlay, runCommand, SNAPSHOT_DRAG, useDragEnd, useMachines, useSnapshots } from '../../../app'
import { ContextMenu } from '../../../ui/menu'
import { menuOfSelection } from '../menu'
import { selectAll, selectOnly, selectPlace, selectRange, toggleSelected, useSelection } from '../selection'
import { listEntries, type ListEntry } from './filter'
import { toggleFolded, useArrangement, useFilter } from './list-state'
import { GroupRow, MachineRow } from './rows'
import styles from './list.module.css'

/** As `--row` and the heading's height in list.module.css. */
const ROW_HEIGHT = 32
const HEADING_HEIGHT = 28

/** The entries that the list shows now. */
export function useListEntries(): ListEntry[] {
  const byId = useMachines((state) => state.byId)
  const filter = useFilter((state) => state.filter)
  const { grouped, folded } = useArrangement()
  return useMemo(() => listEntries(Object.values(byId), filter, grouped, folded), [byId, filter, grouped, folded])
}

/**
 * The machines, only as many rows as can be seen. A listbox with several choices (WAI-ARIA): the list has the focus and names the
 * active row, so that rows may come and go while it scrolls.
 */
export function MachineList({ entries }: { entries: ListEntry[] }) {
  const frame = useRef<HTMLDivElement>(null)
  const selected = useSelection((state) => state.ids)
  const lead = useSelection((state) => state.lead)
  // The virtualizer's functions change with every render by design: nothing below is memoised on them.
  const rows = useVirtualizer({
    count: entries.length,
    getScrollElement: () => frame.current,
    estimateSize: (index) => (entries[index]?.kind === 'group' ? HEADING_HEIGHT : ROW_HEIGHT),
    getItemKey: (index) => entries[index]?.key ?? index,
    overscan: 6,
    // Something to show before the element has been measured: the first paint has the rows.
    initialRect: { width: 0, height: 720 }
  })
  const order = entries.flatMap((entry) => (entry.kind === 'machine' ? [entry.id] : []))
  const leadIndex = entries.findIndex((entry) => entry.kind === 'machine' && entry.id === lead)

  const scrollTo = (id: string): void => {
    const index = entries.findIndex((entry) => entry.kind === 'machine' && entry.id === id)
    if (index >= 0) rows.scrollToIndex(index, { align: 'auto' })
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const id = keyboardTarget(event, order, lead)
    if (id === undefined) return
    event.preventDefault()
    event.stopPropagation()
    if (id === null) return
    if (event.shiftKey) selectRange(id, order)
    else selectOnly(id)
    scrollTo(id)
  }
  const onMouseDown = (event: MouseEvent): void => {
    const id = (event.target as Element).closest<HTMLElement>('[data-machine]')?.dataset.machine
    if (!id) return
    if (event.button === 2) {
      if (!useSelection.getState().ids.has(id)) selectOnly(id)
    } else if (event.button === 0) {
      if (event.shiftKey) selectRange(id, order)
      else if (event.ctrlKey || event.metaKey) toggleSelected(id)
      else selectOnly(id)
    }
  }
  const { target, ...drop } = useListDrop()
  return (
    <ContextMenu items={menuOfSelection}>
      <div
        ref={frame}
        className={styles.list}
        role="listbox"
        aria-label="Machines"
        aria-multiselectable
        aria-activedescendant={leadIndex >= 0 ? `row-${leadIndex}` : undefined}
        tabIndex={0}
        data-part="machines"
        onKeyDown={onKeyDown}
        onMouseDown={onMouseDown}
        data-drop={target === 'list' || undefined}
        {...drop}
      >
        <div role="presentation" style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {rows.getVirtualItems().map(({ index, key, start }) => {
            const entry = entries[index]
            if (!entry) return null
            if (entry.kind === 'group')
              return <GroupRow key={key} entry={entry} top={start} onToggle={() => toggleFolded(entry.key.slice('group '.length))} />
            return (
              <MachineRow
                key={key}
                id={entry.id}
                rowId={`row-${index}`}
                top={start}
                position={index}
                count={entries.length}
                selected={selected.has(entry.id)}
                target={target === entry.id}
                group={entry.group}
              />
            )
          })}
        </div>
      </div>
    </ContextMenu>
  )
}

interface ListDrop {
  /** Where what is dragged would go: a machine's id, or the list as a whole. */
  target: string | null
  onDragOver: (event: DragEvent) => void
  onDragLeave: () => void
  onDrop: (event: DragEvent) => void
}

const machineAt = (event: DragEvent): string | undefined => (event.target as Element).closest<HTMLElement>('[data-machine]')?.dataset.machine

/**
 * A snapshot that is dropped on its machine takes that back; anywhere else in the list it becomes a machine of its own. A disk that is dropped on
 * a machine is shared with it.
 */
function useListDrop(): ListDrop {
  const [target, setTarget] = useState<string | null>(null)
  useDragEnd(() => setTarget(null))
  return {
    target,
    onDragOver: (event) => {
      const { types } = event.dataTransfer
      const over = types.includes(SNAPSHOT_DRAG) ? 'list' : types.includes(DISK_DRAG) ? (machineAt(event) ?? null) : null
      setTarget(over)
      if (over === null) return
      event.preventDefault()
      event.dataTransfer.dropEffect = 'copy'
    },
    onDragLeave: () => setTarget(null),
    onDrop: (event) => {
      setTarget(null)
      const on = machineAt(event)
      const snapshot = useSnapshots.getState().byId[event.dataTransfer.getData(SNAPSHOT_DRAG)]
      const [machine = '', disk = ''] = event.dataTransfer.getData(DISK_DRAG).split(' ')
      if (snapshot) openOverlay({ kind: 'snapshot', action: on === snapshot.machineId ? 'restore' : 'clone', machine: snapshot.machineId, snapshot: snapshot.id })
      else if (disk !== '' && on !== undefined) openOverlay({ kind: 'share', machine, disk, to: on })
      else return
      event.preventDefault()
    }
  }
}

/** Where a key leads: an id; null when the key did something else here; undefined when it means nothing here. */
function keyboardTarget(event: KeyboardEvent, order: string[], lead: string | null): string | null | undefined {
  const at = lead === null ? -1 : order.indexOf(lead)
  const last = order.length - 1
  const moved = { ArrowDown: at + 1, ArrowUp: at < 0 ? last : at - 1, Home: 0, End: last, PageDown: at + 10, PageUp: at - 10 }[event.key]
  if (moved !== undefined && !event.ctrlKey && !event.altKey) return order[Math.max(0, Math.min(last, moved))] ?? null
  if (event.key === 'a' && event.ctrlKey) selectAll(order)
  else if (event.key === 'Escape' && useSelection.getState().ids.size > 1) selectPlace()
  else if (event.key === ' ' && lead) toggleSelected(lead)
  else if (event.key === 'Enter' && !event.ctrlKey && lead) goToMachine(lead)
  else if (event.key === 'Delete') runCommand('machine.remove')
  else return undefined
  return null
}
