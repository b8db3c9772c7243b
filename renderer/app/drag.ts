import { useEffect, useEffectEvent } from 'react'

/** What is dragged within the window, as a type of its own: nothing else of the desktop is taken for it. The data is its id. */
export const SNAPSHOT_DRAG = 'application/x-strata-snapshot'
/** A machine's disk: the machine's id and the disk's, with a blank between them. */
export const DISK_DRAG = 'application/x-strata-disk'

/** Whatever was dragged is let go, wherever that was: when it is given up with Escape, nobody that it was over is told. */
export function useDragEnd(act: () => void): void {
  const onEnd = useEffectEvent(act)
  useEffect(() => {
    document.addEventListener('dragend', onEnd)
    return () => document.removeEventListener('dragend', onEnd)
  }, [])
}
