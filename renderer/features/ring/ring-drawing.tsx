import type { RingClient } from '#contract'
import { formatCount } from '#ui'
import { between } from './rates'
import styles from './ring.module.css'

const SIZE = 176
const MIDDLE = SIZE / 2
const RADIUS = { requests: 74, responses: 48 }
const WIDTH = 14
/** More slots than this would be hairs: then a mark stands for several. */
const MOST_MARKS = 64

/**
 * A client's two rings: outside its requests, inside the responses. On each a producer runs ahead (a wedge) and a consumer follows (a
 * point); what lies between them waits. An index only ever grows; its place is what is left of it on the ring.
 */
export function RingDrawing({ client }: { client: RingClient }) {
  const waiting = { requests: between(client.requests), responses: between(client.responses) }
  const words = `${formatCount(waiting.requests, 'request')} waiting, ${formatCount(client.inFlight, 'read')} in flight, ${formatCount(waiting.responses, 'response')} not yet read`
  return (
    <svg className={styles.drawing} viewBox={`0 0 ${SIZE} ${SIZE}`} role="img" aria-label={`Ring of client ${client.pid}: ${words}`}>
      <Track radius={RADIUS.requests} slots={client.slots} index={client.requests} kind="requests" />
      <Track radius={RADIUS.responses} slots={client.slots} index={client.responses} kind="responses" />
      <text x={MIDDLE} y={MIDDLE + 1} className={styles.inFlight}>
        {client.inFlight}
      </text>
      <text x={MIDDLE} y={MIDDLE + 16} className={styles.inFlightWord}>
        in flight
      </text>
    </svg>
  )
}

interface TrackProps {
  radius: number
  slots: number
  index: { producer: number; consumer: number }
  kind: 'requests' | 'responses'
}

function Track({ radius, slots, index, kind }: TrackProps) {
  const marks = Math.min(slots, MOST_MARKS)
  const [from, to] = [(index.consumer % slots) / slots, (index.producer % slots) / slots]
  const waiting = Math.min(slots, between(index)) / slots
  return (
    <g data-kind={kind}>
      <circle cx={MIDDLE} cy={MIDDLE} r={radius} strokeWidth={WIDTH} className={styles.track} />
      {Array.from({ length: marks }, (_, mark) => (
        <line key={mark} {...spoke(mark / marks, radius)} className={styles.mark} />
      ))}
      {waiting > 0 && <path d={arc(from, waiting, radius)} strokeWidth={WIDTH - 4} className={styles.waiting} />}
      <circle {...at(from, radius)} r={4} className={styles.consumer} />
      <path d="M -4.5 -5 L 5.5 0 L -4.5 5 Z" transform={wedge(to, radius)} className={styles.producer} />
    </g>
  )
}

/** A turn of 0 is at the top; turns go clockwise. */
const angle = (turn: number): number => (turn - 0.25) * 2 * Math.PI
const point = (turn: number, radius: number): [number, number] => [MIDDLE + radius * Math.cos(angle(turn)), MIDDLE + radius * Math.sin(angle(turn))]

function at(turn: number, radius: number): { cx: number; cy: number } {
  const [cx, cy] = point(turn, radius)
  return { cx, cy }
}

function spoke(turn: number, radius: number): { x1: number; y1: number; x2: number; y2: number } {
  const [[x1, y1], [x2, y2]] = [point(turn, radius - WIDTH / 2), point(turn, radius + WIDTH / 2)]
  return { x1, y1, x2, y2 }
}

function wedge(turn: number, radius: number): string {
  const [x, y] = point(turn, radius)
  return `translate(${x} ${y}) rotate(${turn * 360})`
}

function arc(from: number, share: number, radius: number): string {
  const end = from + Math.min(share, 0.9999)
  const [[x1, y1], [x2, y2]] = [point(from, radius), point(end, radius)]
  return `M ${x1} ${y1} A ${radius} ${radius} 0 ${share > 0.5 ? 1 : 0} 1 ${x2} ${y2}`
}
