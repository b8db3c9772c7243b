import type { DiskView } from '#contract'
import { formatPercent, formatSize, Meter, tip } from '#ui'
import { goTo } from '../../../app'
import styles from './disks-tab.module.css'

/** How much the history takes of what it may. */
export function Budget({ view: { disk, historyBytes, historyBudgetBytes } }: { view: DiskView }) {
  const lowest = disk.layers.at(-1)?.commit
  const share = historyBudgetBytes > 0 ? historyBytes / historyBudgetBytes : historyBytes > 0 ? 1 : 0
  return (
    <div className={styles.budget}>
      <Meter share={share} label="History, of its budget" warnFrom={0.8} />
      <p>
        <span
          {...tip(`${formatPercent(share)} of what it may take. Beyond that the oldest commit is merged, and can no longer be undone.${lowest ? ` Commit ${lowest.sequence} is the lowest layer, which stays anyway: it does not count.` : ''}`)}
        >
          Takes {formatSize(historyBytes)} of {formatSize(historyBudgetBytes)}
        </span>
        <button type="button" className={styles.link} onClick={() => goTo({ kind: 'settings' })}>
          Change
        </button>
      </p>
    </div>
  )
}
