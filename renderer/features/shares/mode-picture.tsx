import type { ShareMode } from '#contract'
import styles from './shares.module.css'

const PLACES = [60, 180, 300]

/** Who writes and who reads, as a drawing: machines above, the disk as ground below; a thick line down is a writer. */
export function ModePicture({ mode, owner }: { mode: ShareMode; owner: string }) {
  const names = [owner, 'another', 'a third']
  const writes = (index: number): boolean => mode === 'cluster' || index === 0
  const said = { ro: `${owner} writes, the others read`, rw: `${owner} writes until it hands over; the others read`, cluster: 'all write and read' }[mode]
  return (
    <svg className={styles.picture} viewBox="0 0 360 92" role="img" aria-label={said}>
      {PLACES.map((x, index) => (
        <g key={x} data-writes={writes(index) || undefined}>
          <rect x={x - 48} y={1} width={96} height={24} rx={4} />
          <text x={x} y={17}>{short(names[index]!)}</text>
          <line x1={x} y1={writes(index) ? 25 : 32} x2={x} y2={writes(index) ? 60 : 67} />
          <path d={writes(index) ? `M${x - 5} 59 h10 l-5 8 z` : `M${x - 4} 33 h8 l-4 -7 z`} />
          <text x={x + 9} y={50} data-word>{writes(index) ? 'writes' : 'reads'}</text>
        </g>
      ))}
      {mode === 'rw' && (
        <g data-hand-over>
          <line x1={108} y1={13} x2={125} y2={13} />
          <path d="M124 9 v8 l7 -4 z" />
        </g>
      )}
      <rect className={styles.slab} x={8} y={68} width={344} height={22} rx={4} />
      <text className={styles.slabWord} x={180} y={83}>{mode === 'cluster' ? 'one disk, OCFS2' : 'one disk'}</text>
    </svg>
  )
}

const short = (name: string): string => (name.length > 13 ? `${name.slice(0, 12)}…` : name)
