import { useSeen } from './list-state'
import styles from './list.module.css'

/**
 * The list before the machines have been read: names where they will stand, without a state, since nobody knows it yet. The
 * very first time there are none; then it is only a sign that something will come.
 */
export function SeenRows() {
  const rows = useSeen((state) => state.rows)
  if (rows.length === 0) return <Skeleton />
  return (
    <div aria-hidden className={styles.seen} data-part="seen-machines">
      {rows.map(({ heading, label }, index) => (
        <div key={index} className={heading ? styles.seenHeading : styles.seenRow}>
          <span className={styles.name} dir="auto">
            {label}
          </span>
        </div>
      ))}
    </div>
  )
}

const Skeleton = () => (
  <div aria-hidden style={{ flex: 1 }}>
    {[70, 55, 62].map((width) => (
      <div key={width} className={styles.skeleton} style={{ width: `${width}%` }} />
    ))}
  </div>
)
