import { CircleDot, GitCompareArrows, Square } from 'lucide-react'
import type { Ring } from '#contract'
import { Banner, Button, Chart, ErrorNotice, formatPercent, formatSize } from '#ui'
import { attempt, attemptTask, copyText, hasEnded, useTasks } from '../../app'
import { Clients, Spread } from './clients'
import { Comparison } from './comparison'
import { SPAN_MS, useLiveRing, type LiveRing } from './live'
import { LoadPanel } from './load-panel'
import { formatNumber, paces } from './rates'
import { StartPanel } from './start-panel'
import { Story } from './story'
import styles from './ring.module.css'

type Serving = Extract<Ring['service'], { kind: 'serving' }>

/** The split driver as one can watch it: a service, clients with a ring each, and what both do. */
export function RingScreen() {
  const live = useLiveRing()
  const now = live.looks.at(-1)
  const service = now?.service
  return (
    <section className={styles.screen} aria-label="Ring lab">
      <header className={styles.head}>
        <h1>Ring lab</h1>
        <p className={styles.sum}>{service?.kind === 'serving' ? sumOf(service) : 'A split driver: a service reads a disk image for its clients, through rings in shared memory.'}</p>
        {service?.kind === 'serving' && <Actions />}
      </header>
      {live.error && <ErrorNotice error={live.error} onCopy={copyText} />}
      {service?.kind === 'missing' && (
        <Banner tone="warning">
          <p>{service.reason}</p>
        </Banner>
      )}
      {service?.kind === 'off' && <StartPanel />}
      {service?.kind === 'serving' && (
        <>
          <LoadPanel lastSector={service.sectors - 1} />
          <Watched live={live} />
        </>
      )}
      {now?.compared && <Comparison compared={now.compared} />}
      {service && <Story />}
    </section>
  )
}

const sumOf = ({ image, sectors, cache, reads }: Serving): string =>
  `Serves ${image.slice(image.lastIndexOf('/') + 1)}, ${formatSize(sectors * 512)}, read with ${reads === 'io_uring' ? 'io_uring' : 'threads'}; ` +
  (cache.sectors === 0 ? 'no cache' : `${formatNumber(cache.sectors)} sectors fit in the cache`)

function Actions() {
  const running = useTasks((state) => Object.values(state.byId).find((task) => task.operation.startsWith('ring.') && !hasEnded(task)))
  return (
    <>
      <Button
        icon={GitCompareArrows}
        hint="Reads the image by this ring, by vhost-user-blk and by NBD"
        blocked={running?.operation === 'ring.load' ? 'A load runs: it would change the figures.' : null}
        busy={running?.operation === 'ring.compare'}
        onClick={() => void attemptTask('ring.compare', {})}
      >
        Compare
      </Button>
      <Button icon={Square} blocked={running ? 'First wait for what runs, or cancel it.' : null} onClick={() => void attempt('ring.stop', {})}>
        Stop
      </Button>
    </>
  )
}

/** The clients of now, or those that were last. */
function Watched({ live }: { live: LiveRing }) {
  const now = live.looks.at(-1)
  const present = now ? paces(live.looks.at(-2) ?? null, now) : []
  const own = present.filter((pace) => pace.client.own)
  const all = [...live.last, ...own]
  if (all.length === 0) {
    return (
      <p className={styles.nobody}>
        <CircleDot size={15} aria-hidden /> No client yet. Run a load, or read one sector: its ring is drawn here.
      </p>
    )
  }
  return (
    <>
      <Clients all={all} present={present} />
      <div className={styles.charts}>
        <Throughput looks={live.looks} />
        <Spread all={all} present={present} />
      </div>
    </>
  )
}

function Throughput({ looks }: { looks: readonly Ring[] }) {
  const steps = looks.slice(1).flatMap((now, index) => stepOf(looks[index]!, now))
  const cache = looks.at(-1)?.service
  const reads = cache?.kind === 'serving' ? cache.cache.hits + cache.cache.misses : 0
  return (
    <Chart
      title="Requests"
      note={cache?.kind === 'serving' && reads > 0 ? `${formatPercent(cache.cache.hits / reads)} of all reads came from the cache` : undefined}
      times={steps.map((step) => step.atMs)}
      series={[{ label: 'of all clients', values: steps.map((step) => step.perSecond) }]}
      spanMs={SPAN_MS}
      format={(value) => `${formatNumber(value)}/s`}
      floor={1000}
      height={132}
    />
  )
}

function stepOf(before: Ring, now: Ring): { atMs: number; perSecond: number }[] {
  if (before.service.kind !== 'serving' || now.service.kind !== 'serving' || before.service.pid !== now.service.pid || now.atMs <= before.atMs) return []
  return [{ atMs: now.atMs, perSecond: ((now.service.requests - before.service.requests) * 1000) / (now.atMs - before.atMs) }]
}
