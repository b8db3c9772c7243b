import { useEffect, useState } from 'react'
import type { ShareLoad } from '#contract'
import { call } from '../../app'
import { ratesBetween, type ShareRate } from './rates'

/** A look asks the agent of each client: often enough to see, seldom enough not to matter. */
const LOOK_MS = 2_000

/** What each machine asks of a shared disk, as long as it is shown. Null before the second look. */
export function useShareLoad(share: string, wanted: boolean): ReadonlyMap<string, ShareRate> | null {
  const [rates, setRates] = useState<ReadonlyMap<string, ShareRate> | null>(null)
  useEffect(() => {
    if (!wanted) return
    let over = false
    let before: ShareLoad | null = null
    let timer: ReturnType<typeof setTimeout> | null = null
    const look = async (): Promise<void> => {
      const answer = document.visibilityState === 'visible' ? await call('share.load', { share }) : null
      if (over) return
      if (answer?.ok) {
        if (before) setRates(ratesBetween(before, answer.value))
        before = answer.value
      }
      timer = setTimeout(() => void look(), LOOK_MS)
    }
    void look()
    return () => {
      over = true
      setRates(null) // of whoever served before
      if (timer) clearTimeout(timer)
    }
  }, [share, wanted])
  return wanted ? rates : null
}
