import type { Machine } from '#contract'
import { isLive } from '../words'
import { Charts } from './charts'
import { DisksSection } from './disks-section'
import { FactsSection } from './facts-section'
import { NetworkSection } from './network-section'
import { NotesSection } from './notes-section'
import { PendingBanner, StateSection } from './state-section'
import styles from './overview.module.css'

/** Everything about a machine at a glance. */
export function Overview({ machine }: { machine: Machine }) {
  return (
    <div className={styles.overview}>
      <PendingBanner machine={machine} />
      <StateSection machine={machine} />
      {isLive(machine.state) && <Charts machine={machine} />}
      {machine.definition && (
        <div className={styles.columns}>
          <div>
            <NetworkSection machine={machine} />
            <DisksSection machine={machine} />
          </div>
          <div>
            <FactsSection machine={machine} />
            <NotesSection machine={machine} />
          </div>
        </div>
      )}
    </div>
  )
}
