import { lazy, Suspense, useState } from 'react'
import { shell, useOverlay } from '../../app'

const TourLayer = lazy(() => import('./tour').then((module) => ({ default: module.TourLayer })))

/** The guided tour: nothing until it is asked for, or the app was started to play it. */
export function Tour() {
  const asked = useOverlay((overlay) => overlay.overlay?.kind === 'tour-intro')
  const [wanted, setWanted] = useState(() => shell().facts.playTour)
  if (asked && !wanted) setWanted(true)
  return wanted ? (
    <Suspense fallback={null}>
      <TourLayer />
    </Suspense>
  ) : null
}
