import { cx, tip } from '#ui'
import styles from './monitor.module.css'

export type MonitorView = 'hmp' | 'qmp'
const VIEWS: readonly { id: MonitorView; label: string; hint: string }[] = [
  { id: 'hmp', label: 'HMP', hint: 'The monitor people type into' },
  { id: 'qmp', label: 'QMP', hint: 'The messages between Strata and QEMU' }
]

/** One of two, as a pair of radio buttons that look like one control. */
export function ViewSwitch({ view, onChange }: { view: MonitorView; onChange: (view: MonitorView) => void }) {
  return (
    <div role="radiogroup" aria-label="Monitor" className={styles.switch}>
      {VIEWS.map(({ id, label, hint }) => (
        <label key={id} className={cx(styles.choice, view === id && styles.chosen)} {...tip(hint)}>
          <input type="radio" name="monitor-view" className="visually-hidden" checked={view === id} onChange={() => onChange(id)} />
          {label}
        </label>
      ))}
    </div>
  )
}
