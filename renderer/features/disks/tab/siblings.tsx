import type { Disk, Machine } from '#contract'
import { formatCount, tip } from '#ui'
import { goTo, goToMachine, useMachines } from '../../../app'
import { chooseDisk } from '../choice'
import styles from './chain.module.css'

const SHOWN = 3

/** What else stands on the same image: small, beside the disk that is shown. */
export function Siblings({ machine, diskId, imagePath }: { machine: Machine; diskId: string; imagePath: string }) {
  const machines = useMachines((state) => state.byId)
  const others = Object.values(machines).flatMap((one) =>
    (one.definition?.disks ?? [])
      .filter((disk) => disk.image?.path === imagePath && !(one.id === machine.id && disk.id === diskId))
      .map((disk) => ({ machine: one, disk }))
  )
  if (others.length === 0) return null
  return (
    <div className={styles.siblings}>
      <p>On the same image</p>
      <ul>
        {others.slice(0, SHOWN).map(({ machine: one, disk }) => (
          <li key={`${one.id} ${disk.id}`}>
            <button
              type="button"
              {...tip(
                `${disk.id} of ${one.name}: ${formatCount(disk.layers.length, 'layer')}. None of them notices what the others write.`
              )}
              onClick={() => {
                chooseDisk(one.id, disk.id)
                goToMachine(one.id, 'disks')
              }}
            >
              <span className={styles.name}>{one.name}</span>
              <Tower disk={disk} />
            </button>
          </li>
        ))}
      </ul>
      {others.length > SHOWN && (
        <button type="button" className={styles.more} onClick={() => goTo({ kind: 'disks' })}>
          and {others.length - SHOWN} more
        </button>
      )}
    </div>
  )
}

const Tower = ({ disk }: { disk: Disk }) => (
  <span className={styles.tower} aria-hidden>
    {disk.layers.slice(0, 4).map((layer, index) => (
      <span key={layer.nodeName} data-kind={index === 0 && !layer.commit ? 'active' : 'stratum'} />
    ))}
  </span>
)
