import type { RingClient } from '#contract'
import { formatCount } from '#ui'
import { between } from './rates'
import styles from './ring.module.css'

const SIZE = 184
const MIDDLE = SIZE / 2
const RADIUS = { requests: 77, responses: 48 }
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
      {/* Each request gets one response: the requests that were taken and have none yet are those between the two. */}
      <Track radius={RADIUS.requests} slots={client.slots} index={client.requests} served={{ producer: client.requests.consumer, consumer: client.responses.producer }} kind="requests" />
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

interface Index {
  producer: number
  consumer: number
}
interface TrackProps {
  radius: number
  slots: number
  index: Index
  /** What was taken and is not answered yet. */
  served?: Index
  kind: 'requests' | 'responses'
}

function Track({ radius, slots, index, served, kind }: TrackProps) {
  const marks = Math.min(slots, MOST_MARKS)
  const turn = (place: number): number => (place % slots) / slots
  const [from, to] = [turn(index.consumer), turn(index.producer)]
  const share = (of: Index): number => Math.min(slots, between(of)) / slots
  return (
    <g data-kind={kind}>
      <circle cx={MIDDLE} cy={MIDDLE} r={radius} strokeWidth={WIDTH} className={styles.track} />
      {Array.from({ length: marks }, (_, mark) => (
        <line key={mark} {...spoke(mark / marks, radius)} className={styles.mark} />
      ))}
      {served && share(served) > 0 && <path d={arc(turn(served.consumer), share(served), radius)} strokeWidth={WIDTH} className={styles.served} />}
      {share(index) > 0 && <path d={arc(from, share(index), radius)} strokeWidth={WIDTH} className={styles.waiting} />}
      <circle {...at(from, radius - WIDTH / 2 + 1)} r={3.5} className={styles.consumer} />
      <path d="M -4.5 -5 L 5.5 0 L -4.5 5 Z" transform={wedge(to, radius + WIDTH / 2 - 1)} className={styles.producer} />
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
