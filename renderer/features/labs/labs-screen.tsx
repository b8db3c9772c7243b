import { EllipsisVertical, GraduationCap, Play, Power, RotateCcw, Square, Trash2 } from 'lucide-react'
import type { Lab, Machine } from '#contract'
import { Button, EmptyState, formatCount, IconButton, Menu, RelativeTime, type MenuItems } from '#ui'
import { attemptTask, blockedBy, openOverlay, runCommand, useLabs, useMachines, useTasks, hasEnded } from '../../app'
import { isOff } from '../machines'
import { TaskProgress } from '../tasks'
import { Tile } from './tile'
import styles from './labs.module.css'

/** Every class lab as a wall of its machines' screens. */
export function LabsScreen() {
  const { byId, loaded } = useLabs()
  const labs = Object.values(byId).sort((a, b) => b.createdAtMs - a.createdAtMs)
  return (
    <section className={styles.labs} aria-label="Class labs">
      <header className={styles.head}>
        <h1>Class labs</h1>
        <NewLab />
      </header>
      {loaded && labs.length === 0 && <NoLabs />}
      {labs.map((lab) => (
        <LabWall key={lab.id} lab={lab} />
      ))}
    </section>
  )
}

const NewLab = () => (
  <Button icon={GraduationCap} blocked={blockedBy('lab.deploy')} onClick={() => runCommand('lab.deploy')}>
    New class lab…
  </Button>
)

const NoLabs = () => (
  <EmptyState icon={GraduationCap} title="No class labs yet" actions={<NewLab />}>
    Prepare one machine, take a snapshot of it while it runs, and make a machine for everybody from that. They go on from the same instant, each with
    an identity of its own, and each can be made anew in a moment.
  </EmptyState>
)

const isThere = (machine: Machine | undefined): machine is Machine => machine !== undefined

const menuOf = (lab: Lab, on: number, busy: string | null): MenuItems => [
  {
    id: 'force-off',
    label: 'Force all off…',
    icon: Power,
    danger: true,
    blocked: busy ?? (on === 0 ? 'None of them is on.' : null),
    onSelect: () => openOverlay({ kind: 'lab', action: 'force-off', lab: lab.id, machine: null })
  },
  { id: 'remove', label: 'Remove the lab…', icon: Trash2, danger: true, blocked: busy, onSelect: () => openOverlay({ kind: 'lab', action: 'remove', lab: lab.id, machine: null }) }
]

function LabWall({ lab }: { lab: Lab }) {
  const machines = useMachines((state) => state.byId)
  const task = useTasks((state) => Object.values(state.byId).find((one) => !hasEnded(one) && one.operation.startsWith('lab.') && one.subject === lab.name))
  const there = lab.machines.map(({ machineId }) => machines[machineId]).filter(isThere)
  const off = there.filter(({ state }) => isOff(state)).length
  const on = there.length - off
  const busy = task ? 'Wait until what is under way has ended.' : null
  return (
    <article className={styles.lab} aria-label={lab.name}>
      <header className={styles.title}>
        <hgroup>
          <h2 dir="auto">{lab.name}</h2>
          <p>
            {formatCount(lab.machines.length, 'machine')}, {on} on ·{' '}
            {lab.snapshot ? `from “${lab.snapshot.name}” of ${lab.snapshot.machine}` : 'its snapshot is gone'} · <RelativeTime atMs={lab.createdAtMs} />
          </p>
        </hgroup>
        <div className={styles.actions}>
          <Button icon={Play} blocked={busy ?? (off === 0 ? 'All of them are on.' : null)} onClick={() => void attemptTask('lab.start', { lab: lab.id })}>
            Start all
          </Button>
          <Button icon={Square} blocked={busy ?? (on === 0 ? 'None of them is on.' : null)} onClick={() => void attemptTask('lab.stop', { lab: lab.id })}>
            Stop all
          </Button>
          <Button
            icon={RotateCcw}
            blocked={busy ?? (lab.snapshot ? null : 'The snapshot that they were made from is gone.')}
            onClick={() => openOverlay({ kind: 'lab', action: 'recreate', lab: lab.id, machine: null })}
          >
            Make all anew…
          </Button>
          <Menu trigger={<IconButton icon={EllipsisVertical} label={`More of ${lab.name}`} variant="plain" />} items={menuOf(lab, on, busy)} />
        </div>
      </header>
      {task && <TaskProgress task={task} />}
      <ul className={styles.wall}>
        {lab.machines.map((place) => (
          <Tile key={place.name} lab={lab} place={place} />
        ))}
      </ul>
    </article>
  )
}
