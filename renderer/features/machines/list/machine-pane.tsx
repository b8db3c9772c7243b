import { useEffect, useLayoutEffect } from 'react'
import { Play, Plus, Square, Tags, Trash2, X } from 'lucide-react'
import { keysOf, machineById, runCommand, useHost, useMachines } from '../../../app'
import { Button, IconButton } from '../../../ui/button'
import { formatCount } from '../../../ui/format'
import { SearchField } from '../../../ui/search-field'
import { removeMachines, startMachines, stopMachines } from '../actions'
import { whyNotAny } from '../allowed'
import { selectOnly, selectPlace, useSelection } from '../selection'
import type { ListEntry } from './filter'
import { remember, setFilter, toggleGrouped, useArrangement, useFilter, useSeen } from './list-state'
import { MachineList, useListEntries } from './machine-list'
import { SeenRows } from './seen-rows'
import styles from './list.module.css'

/** The left part of the window: every machine, a filter, and what can be done to several at once. */
export function MachinePane({ onPainted }: { onPainted: (what: 'names' | 'states') => void }) {
  const loaded = useMachines((state) => state.loaded)
  const entries = useListEntries()
  const filter = useFilter((state) => state.filter)
  const grouped = useArrangement((state) => state.grouped)
  const count = useMachines((state) => Object.keys(state.byId).length)
  useLayoutEffect(() => {
    if (loaded) onPainted('states')
    else if (useSeen.getState().rows.length > 0) onPainted('names')
  }, [loaded, onPainted])
  useEffect(() => {
    if (loaded && filter === '') remember(entries.map(seenOf))
  }, [loaded, filter, entries])
  const first = entries.find((entry) => entry.kind === 'machine')
  return (
    <section className={styles.pane} aria-label="Machines">
      <header className={styles.head}>
        <h2>{loaded && count > 0 ? formatCount(count, 'machine') : 'Machines'}</h2>
        <IconButton
          icon={Tags}
          size="small"
          label={grouped ? 'Do not group by tag' : 'Group by tag'}
          aria-pressed={grouped}
          onClick={toggleGrouped}
        />
        <IconButton
          icon={Plus}
          size="small"
          label="New machine…"
          keys={keysOf('machine.create')}
          onClick={() => runCommand('machine.create')}
        />
      </header>
      <div className={styles.filter} data-filter>
        <SearchField
          value={filter}
          onChange={setFilter}
          label="Filter by name, tag or state"
          placeholder="Filter"
          keys={keysOf('view.filter')}
          onKeyDown={(event) => {
            if (event.key !== 'ArrowDown' && event.key !== 'Enter') return
            event.preventDefault()
            if (first?.kind === 'machine') selectOnly(first.id)
            document.querySelector<HTMLElement>('[data-part="machines"]')?.focus()
          }}
        />
      </div>
      {loaded && entries.length === 0 && (
        <p className={styles.nothing}>{filter === '' ? 'There are no machines yet.' : `No machine fits “${filter}”.`}</p>
      )}
      {loaded ? <MachineList entries={entries} /> : <SeenRows />}
      <BulkBar />
    </section>
  )
}

const seenOf = (entry: ListEntry): { heading: boolean; label: string } =>
  entry.kind === 'group' ? { heading: true, label: entry.label } : { heading: false, label: machineById(entry.id)?.name ?? '' }

/** What can be done to the selection, while it is more than one. */
function BulkBar() {
  const ids = useSelection((state) => state.ids)
  const byId = useMachines((state) => state.byId)
  const host = useHost((state) => state.host)
  if (ids.size < 2) return null
  const chosen = [...ids]
  const machines = chosen.map((id) => byId[id]).filter((machine) => machine !== undefined)
  return (
    <div className={styles.bulk} role="toolbar" aria-label="Selected machines">
      <p>
        {formatCount(ids.size, 'machine')} selected
        <IconButton icon={X} size="small" label="Select only the one that is shown" keys="Escape" onClick={selectPlace} />
      </p>
      <div>
        <Button size="small" icon={Play} blocked={whyNotAny('start', machines, host)} onClick={() => startMachines(chosen)}>
          Start
        </Button>
        <Button size="small" icon={Square} blocked={whyNotAny('stop', machines, host)} onClick={() => stopMachines(chosen)}>
          Stop
        </Button>
        <Button size="small" icon={Trash2} blocked={whyNotAny('remove', machines, host)} onClick={() => void removeMachines(chosen)}>
          Delete
        </Button>
      </div>
    </div>
  )
}
