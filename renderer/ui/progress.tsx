import styles from './progress.module.css'

export interface ProgressBarProps {
  /** 0 to 1; null while it cannot be told. */
  ratio: number | null
  label: string
  tone?: 'accent' | 'failed' | 'off'
}

/** How far work has come. Grows and shrinks with its ratio; where there is none it only says that something goes on. */
export function ProgressBar({ ratio, label, tone = 'accent' }: ProgressBarProps) {
  const percent = ratio === null ? undefined : Math.round(ratio * 100)
  return (
    <div
      className={styles.bar}
      data-tone={tone}
      data-unknown={ratio === null || undefined}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <div style={ratio === null ? undefined : { transform: `scaleX(${Math.max(0, Math.min(1, ratio))})` }} />
    </div>
  )
}

export interface MeterProps {
  /** 0 to 1. */
  share: number
  label: string
  /** From this share on it is shown as short. */
  warnFrom?: number
}

/** How much of something is in use. */
export function Meter({ share, label, warnFrom = 0.9 }: MeterProps) {
  const shown = Math.max(0, Math.min(1, share))
  return (
    <span
      className={styles.meter}
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(shown * 100)}
      data-short={shown >= warnFrom || undefined}
    >
      <span style={{ transform: `scaleX(${shown})` }} />
    </span>
  )
}
