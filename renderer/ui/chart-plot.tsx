import { useEffect, useRef } from 'react'
import uPlot, { type AlignedData, type Options, type Series } from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { ChartProps } from './chart'
import { niceTop } from './scale'

type PlotProps = Pick<ChartProps, 'series' | 'times' | 'spanMs' | 'format' | 'max' | 'floor' | 'syncKey'> & {
  height: number
  onPoint: (index: number | null) => void
}

/** Room for the labels of the scale, fixed, so that the lines never shift when a label grows. */
const AXIS_WIDTH = 72
const MINUTE_SECONDS = 60

/**
 * The canvas. It draws when new values come, its size changes or the theme does; it runs no frame loop of its own.
 * Colours are read from the tokens at each drawing.
 */
export function Plot({ series, times, spanMs, format, max, floor = 1, syncKey, height, onPoint }: PlotProps) {
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  // What the canvas asks for while it draws; changing it must not build the canvas anew.
  const latest = useRef({ spanMs, format, max, floor, onPoint })
  useEffect(() => {
    latest.current = { spanMs, format, max, floor, onPoint }
  })
  const labels = series.map((one) => one.label).join('\n')

  useEffect(() => {
    const element = host.current
    if (!element) return
    const made = new uPlot(
      optionsFor(labels.split('\n'), element.clientWidth, height, syncKey, () => latest.current),
      [[]],
      element
    )
    plot.current = made
    const sizes = new ResizeObserver(() => {
      if (element.clientWidth !== made.width) made.setSize({ width: element.clientWidth, height })
    })
    sizes.observe(element)
    const theme = new MutationObserver(() => made.redraw(false))
    theme.observe(document.documentElement, { attributeFilter: ['data-theme'] })
    return () => {
      theme.disconnect()
      sizes.disconnect()
      made.destroy()
      plot.current = null
    }
  }, [labels, height, syncKey])

  useEffect(() => {
    const data = [times.map((ms) => ms / 1000), ...series.map((one) => one.values as (number | null)[])] as AlignedData
    plot.current?.setData(data)
  }, [times, series, labels, height, syncKey])

  return <div ref={host} />
}

type Latest = () => {
  spanMs: number
  format: (value: number) => string
  max: number | undefined
  floor: number
  onPoint: (index: number | null) => void
}

function optionsFor(labels: string[], width: number, height: number, syncKey: string | undefined, latest: Latest): Options {
  const grid = { stroke: () => token('--chart-grid'), width: 1 }
  return {
    width,
    height,
    padding: [6, 0, 4, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false, setScale: false },
      points: { size: 5 },
      ...(syncKey ? { sync: { key: syncKey, setSeries: false } } : {})
    },
    scales: {
      x: { time: true, range: (self) => range(self, latest().spanMs) },
      y: { range: (_self, _min, dataMax) => [0, latest().max ?? niceTop(Math.max(dataMax ?? 0, latest().floor))] }
    },
    axes: [
      {
        size: 18,
        gap: 3,
        grid,
        ticks: { show: false },
        font: `11px ${token('--font')}`,
        stroke: () => token('--faint'),
        // Whole minutes back from now: the lines stand still, what is drawn moves past them.
        splits: (self) => minutesBack(self.scales.x?.max ?? 0, latest().spanMs),
        values: (self, splits) => splits.map((at, index) => (index === 0 ? '' : minutesLabel(at - (self.scales.x?.max ?? 0))))
      },
      {
        side: 1,
        size: AXIS_WIDTH,
        gap: 6,
        grid,
        ticks: { show: false },
        font: `11px ${token('--font')}`,
        stroke: () => token('--faint'),
        splits: (self) => {
          const top = self.scales.y?.max ?? 1
          return [0, top / 2, top]
        },
        values: (_self, splits) => splits.map((value) => (value === 0 ? '' : latest().format(value)))
      }
    ],
    series: [{}, ...labels.map(lineOf)],
    hooks: { setCursor: [(self) => latest().onPoint(self.cursor.idx ?? null)] }
  }
}

function lineOf(_label: string, index: number): Series {
  const name = `--chart-${index + 1}`
  return { width: 1.5, spanGaps: false, points: { show: false }, stroke: () => token(name), fill: () => token(`${name}-fill`) }
}

function minutesBack(end: number, spanMs: number): number[] {
  const count = Math.floor(spanMs / 1000 / MINUTE_SECONDS)
  return Array.from({ length: count + 1 }, (_none, index) => end - (count - index) * MINUTE_SECONDS)
}

/** The edges have no room for a label; now needs none. */
function minutesLabel(secondsFromEnd: number): string {
  const minutes = Math.round(-secondsFromEnd / MINUTE_SECONDS)
  return minutes === 0 ? '' : `−${minutes}\u00a0min`
}

function range(self: uPlot, spanMs: number): [number, number] {
  const times = self.data[0]
  const end = times[times.length - 1] ?? Date.now() / 1000
  return [end - spanMs / 1000, end]
}

const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
