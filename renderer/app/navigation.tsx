import { Archive, Camera, CircleDotDashed, GraduationCap, HardDrive, Layers, ListTodo, Settings, Share2 } from 'lucide-react'
import { tip } from '../ui/tip'
import { keysOf } from './commands/registry'
import { goTo, usePlaces, type Place } from './places'
import { useImages } from './world/images'
import { useLabs } from './world/labs'
import { useMachines } from './world/machines'
import { useShares } from './world/shares'
import { useSnapshots } from './world/snapshots'
import { hasEnded, useTasks } from './world/tasks'
import styles from './app.module.css'

/** The places beside the machines. */
export function Navigation() {
  const current = usePlaces((state) => state.place.kind)
  const images = useImages((state) => Object.keys(state.byId).length)
  const disks = useMachines((state) => Object.values(state.byId).reduce((sum, machine) => sum + (machine.definition?.disks.length ?? 0), 0))
  const labs = useLabs((state) => Object.keys(state.byId).length)
  const shares = useShares((state) => Object.keys(state.byId).length)
  const snapshots = useSnapshots((state) => Object.keys(state.byId).length)
  const running = useTasks((state) => Object.values(state.byId).filter((task) => !hasEnded(task)).length)
  const places = [
    { kind: 'disks', label: 'Disks', icon: Layers, count: disks },
    { kind: 'snapshots', label: 'Snapshots', icon: Camera, count: snapshots },
    { kind: 'shares', label: 'Shares', icon: Share2, count: shares },
    { kind: 'labs', label: 'Class labs', icon: GraduationCap, count: labs },
    { kind: 'images', label: 'Images', icon: HardDrive, count: images },
    { kind: 'ring', label: 'Ring lab', icon: CircleDotDashed, count: 0 },
    { kind: 'store', label: 'Store', icon: Archive, count: 0 },
    { kind: 'tasks', label: 'Tasks', icon: ListTodo, count: running },
    { kind: 'settings', label: 'Settings and trash', icon: Settings, count: 0 }
  ] as const
  return (
    <ul className={styles.places} data-part="places">
      {places.map(({ kind, label, icon: Icon, count }) => (
        <li key={kind}>
          <button
            type="button"
            aria-current={current === kind ? 'page' : undefined}
            onClick={() => goTo(placeOf(kind))}
            {...tip(label, keysOf(`go.${kind}`))}
          >
            <Icon size={15} strokeWidth={1.75} aria-hidden />
            {label}
            {count > 0 && <span className={styles.count}>{count}</span>}
          </button>
        </li>
      ))}
    </ul>
  )
}

const placeOf = (kind: Exclude<Place['kind'], 'home' | 'machine'>): Place => (kind === 'tasks' ? { kind, taskId: null } : { kind })
