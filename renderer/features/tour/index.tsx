import { useState } from 'react'
import { shell, useOverlay } from '../../app'
import { late } from '../../ui/late'

const TourLayer = late(() => import('./tour').then((module) => module.TourLayer))

/** The guided tour: nothing until it is asked for, or the app was started to play it. */
export function Tour() {
  const asked = useOverlay((overlay) => overlay.overlay?.kind === 'tour-intro')
  const [wanted, setWanted] = useState(() => shell().facts.playTour)
  if (asked && !wanted) setWanted(true)
  return wanted ? <TourLayer /> : null
}
