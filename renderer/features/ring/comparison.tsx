import type { RingComparison } from '#contract'
import { RelativeTime } from '#ui'
import { formatNs, formatNumber } from './rates'
import styles from './ring.module.css'

const NAMES: Record<RingComparison['ways'][number]['name'], { name: string; how: string }> = {
  ring: { name: 'Ring', how: 'this lab: shared memory, a thread a request' },
  'vhost-user-blk': { name: 'vhost-user-blk', how: 'shared memory, a virtqueue; requests kept open from one thread' },
  nbd: { name: 'NBD', how: 'a socket: every byte is copied twice' }
}

/** Reads a second in each of the three ways, as bars on one scale. */
export function Comparison({ compared }: { compared: RingComparison }) {
  const best = Math.max(...compared.ways.map((way) => way.perSecond))
  return (
    <section className={styles.comparison} aria-label="Ring, vhost-user-blk and NBD">
      <header>
        <h2>The same image in three ways</h2>
        <p className={styles.note}>
          {compared.requestsAtATime === 1 ? 'One read' : `${compared.requestsAtATime} reads`} at a time, for {compared.seconds} s each; measured{' '}
          <RelativeTime atMs={compared.atMs} />. The two others are exports of qemu-storage-daemon.
        </p>
      </header>
      <ul>
        {compared.ways.map((way) => (
          <li key={way.name} data-way={way.name}>
            <span className={styles.way}>
              <b>{NAMES[way.name].name}</b>
              <small>{NAMES[way.name].how}</small>
            </span>
            <span className={styles.lane} aria-hidden>
              <span style={{ transform: `scaleX(${way.perSecond / best})` }} />
            </span>
            <span className={styles.number}>
              {formatNumber(way.perSecond)} reads/s
              <small>
                median {formatNs(way.medianNs)}, 99 % below {formatNs(way.p99Ns)}
              </small>
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}
