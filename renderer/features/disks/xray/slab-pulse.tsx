import { formatRate } from '#ui'
import type { Pulse } from './rates'
import styles from './xray.module.css'

/** In a drawn layer: what it serves and takes right now, as bars with their numbers. */
export function SlabPulse({ pulse }: { pulse: Pulse }) {
  return (
    <span className={styles.pulse}>
      <Meter kind="served" share={pulse.served} words={pulse.servedPerSecond > 0 ? `${formatRate(pulse.servedPerSecond)} read` : 'no reads'} />
      <Meter kind="written" share={pulse.written} words={pulse.writtenPerSecond > 0 ? `${formatRate(pulse.writtenPerSecond)} written` : 'no writes'} />
    </span>
  )
}

function Meter({ kind, share, words }: { kind: 'served' | 'written'; share: number; words: string }) {
  return (
    <span className={styles.meter} data-kind={kind} data-quiet={share === 0 || undefined}>
      <span className={styles.track} aria-hidden>
        <span style={{ transform: `scaleX(${share === 0 ? 0 : Math.max(share, 0.03)})` }} />
      </span>
      {words}
    </span>
  )
}
