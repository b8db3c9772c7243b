import { formatPercent, tip } from '#ui'
import { fairness, formatNs, formatNumber, histogram, keyOf, quantile, type Pace } from './rates'
import { RingDrawing } from './ring-drawing'
import styles from './ring.module.css'

const MOST_DRAWN = 6

/** Every client with its rings and what it gets; the first few are drawn. */
export function Clients({ all, present }: { all: readonly Pace[]; present: readonly Pace[] }) {
  const here = new Set(present.map((pace) => keyOf(pace.client)))
  const fastest = Math.max(1, ...all.map((pace) => pace.perSecond ?? 0))
  return (
    <section className={styles.watched} aria-label="Rings">
      <Legend />
      <ul className={styles.clients} aria-label="Clients">
        {all.map((pace, index) => (
          <li key={keyOf(pace.client)} className={styles.client} data-ended={!here.has(keyOf(pace.client)) || undefined}>
            {index < MOST_DRAWN && <RingDrawing client={pace.client} />}
            <h3>
              {pace.client.own ? 'Strata itself' : `Client ${pace.client.pid}`}
              {!here.has(keyOf(pace.client)) && <span>has ended</span>}
            </h3>
          <div className={styles.share} aria-hidden>
            <div style={{ transform: `scaleX(${(pace.perSecond ?? 0) / fastest})` }} />
          </div>
          <dl>
            <Fact name="Answers" value={pace.perSecond === null ? '–' : `${formatNumber(pace.perSecond)}/s`} />
            <Fact name="Latency" value={pace.meanNs === null ? '–' : formatNs(pace.meanNs)} />
            <Fact name="From the cache" value={pace.hitShare === null ? '–' : formatPercent(pace.hitShare)} />
            <Fact name="Slots" value={String(pace.client.slots)} />
          </dl>
        </li>
      ))}
      </ul>
    </section>
  )
}

function Legend() {
  return (
    <ul className={styles.legend} aria-label="What is drawn">
      <li data-kind="requests">
        <i /> outside: requests
      </li>
      <li data-kind="responses">
        <i /> inside: responses
      </li>
      <li>wedge: the producer, runs ahead</li>
      <li>point: the consumer, follows</li>
      <li>dark between them: waits</li>
      <li>pale: taken, not yet answered</li>
    </ul>
  )
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}

/** How long answers take, and how evenly they are given out. */
export function Spread({ all, present }: { all: readonly Pace[]; present: readonly Pace[] }) {
  const bars = histogram(all.map((pace) => pace.client))
  const even = fairness(present)
  const [half, most] = [quantile(bars, 0.5), quantile(bars, 0.99)]
  return (
    <figure className={styles.histogram}>
      <figcaption>
        <span {...tip('From seen by the service to answered, by the logarithm of the time')} className={styles.title}>
          Latency
        </span>
        <span className={styles.figures}>
          {half !== null && <span>half below {formatNs(half)}</span>}
          {most !== null && <span>99 % below {formatNs(most)}</span>}
          <span>fairness {even === null ? '–' : even.toFixed(3)}</span>
        </span>
      </figcaption>
      <ol className={styles.bars}>
        {bars.map((bar) => (
          <li key={bar.fromNs} data-tip={`${formatNs(bar.fromNs)} to ${formatNs(bar.toNs)}: ${formatNumber(bar.count)}`}>
            <div style={{ blockSize: `${Math.max(bar.count > 0 ? 2 : 0, bar.share * 100)}%` }} />
            <span>{Number.isInteger(Math.log2(bar.fromNs) / 2) ? formatNs(bar.fromNs) : ''}</span>
          </li>
        ))}
      </ol>
    </figure>
  )
}
