import { useState } from 'react'
import styles from './chart.module.css'
import { late } from './late'

/** uPlot comes with the first chart, not with the window. */
const Plot = late(() => import('./chart-plot').then((module) => module.Plot))

export interface ChartSeries {
  label: string
  /** One value a time; null where there is none. */
  values: readonly (number | null)[]
}

export interface ChartProps {
  title: string
  /** Milliseconds, ascending. */
  times: readonly number[]
  /** One or two. */
  series: readonly ChartSeries[]
  /** How much time the chart shows; its right edge is the last time. */
  spanMs: number
  format: (value: number) => string
  /** The top of the scale, where there is a natural one. Else it follows the data, in steps. */
  max?: number | undefined
  /** The least top of a scale that follows the data, so that a quiet line does not show its noise. */
  floor?: number
  /** Said beside the title, such as what the maximum is. */
  note?: string | undefined
  /** Said instead of the lines when there is nothing to draw. */
  empty?: string | null
  /** Charts with the same key show the same moment when one is pointed at. */
  syncKey?: string
  height?: number
}

/** Lines over time with the values of the moment, or of the moment that is pointed at. Its place keeps its size whatever it shows. */
export function Chart({ title, series, times, format, note, empty, height = 108, ...plot }: ChartProps) {
  const [pointedAt, setPointedAt] = useState<number | null>(null)
  const index = pointedAt !== null && pointedAt < times.length ? pointedAt : times.length - 1
  return (
    <figure className={styles.chart}>
      <figcaption className={styles.caption}>
        <span className={styles.title}>{title}</span>
        {note && <span className={styles.note}>{note}</span>}
        <span className={styles.values}>
          {series.map((one, position) => {
            const value = one.values[index]
            return (
              <span key={one.label} className={styles.value} data-series={position + 1}>
                {series.length > 1 && <span className={styles.label}>{one.label}</span>}
                <output aria-label={`${title}, ${one.label}`} aria-live="off">
                  {value === null || value === undefined ? '–' : format(value)}
                </output>
              </span>
            )
          })}
        </span>
      </figcaption>
      <div className={styles.plot} style={{ height }}>
        {empty ? (
          <p className={styles.empty}>{empty}</p>
        ) : (
          <Plot series={series} times={times} format={format} height={height} onPoint={setPointedAt} {...plot} />
        )}
      </div>
    </figure>
  )
}
