import { useEffect, useRef, useState } from 'react'
import { Monitor, MonitorOff, RotateCcw, Trash2 } from 'lucide-react'
import type { Lab } from '#contract'
import { IconButton, StateBadge } from '#ui'
import { call, goToMachine, openOverlay, useMachine } from '../../app'
import { lookOf } from '../machines'
import { hasScreen, ScreenWatch } from './screen-watch'
import styles from './labs.module.css'

const watch = new ScreenWatch(async (machine) => {
  const answer = await call('machine.screenshot', { machine })
  return answer.ok ? answer.value.pngBase64 : null // it has just ended
})

/** One machine of a lab: its live screen, and what it does. */
export function Tile({ lab, place }: { lab: Lab; place: Lab['machines'][number] }) {
  const machine = useMachine(place.machineId)
  const frame = useRef<HTMLDivElement>(null)
  const live = machine !== undefined && hasScreen(machine)
  const png = useLiveScreen(frame, place.machineId, live)
  const Nothing = live ? Monitor : MonitorOff // it has not been looked at yet, or there is nothing to look at
  const name = machine?.name ?? place.name
  return (
    <li className={styles.tile} aria-label={name}>
      <div ref={frame} className={styles.screen}>
        {machine ? (
          <button type="button" onClick={() => goToMachine(place.machineId, 'display')} aria-label={`Open ${name}`}>
            {png ? <img src={`data:image/png;base64,${png}`} alt={`The screen of ${name}`} draggable={false} /> : <Nothing size={20} strokeWidth={1.5} aria-hidden />}
          </button>
        ) : (
          <span className={styles.gone}>
            <Trash2 size={16} strokeWidth={1.5} aria-hidden /> deleted
          </span>
        )}
      </div>
      <footer className={styles.caption}>
        <div className={styles.words}>
          <span className={styles.name} dir="auto">
            {name}
          </span>
          {machine && <StateBadge look={lookOf(machine.state)} />}
        </div>
        <IconButton
          icon={RotateCcw}
          size="small"
          label={`Make ${name} anew`}
          blocked={lab.snapshot ? null : 'The snapshot that it was made from is gone.'}
          onClick={() => openOverlay({ kind: 'lab', action: 'recreate', lab: lab.id, machine: place.machineId })}
        />
      </footer>
    </li>
  )
}

/** The screen as it was looked at last, of a tile that is in sight. */
function useLiveScreen(frame: React.RefObject<HTMLElement | null>, machineId: string, live: boolean): string | null {
  const [png, setPng] = useState<string | null>(null)
  useEffect(() => {
    const element = frame.current
    if (!live || !element) return
    let stop = (): void => {}
    const observer = new IntersectionObserver(([entry]) => {
      stop()
      stop = entry?.isIntersecting ? watch.watch(machineId, setPng) : () => {}
    })
    observer.observe(element)
    return () => {
      observer.disconnect()
      stop()
    }
  }, [frame, machineId, live])
  return live ? png : null
}
