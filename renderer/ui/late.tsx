import { useLayoutEffect, useState, type ComponentType } from 'react'

/**
 * A component that comes when it is first shown, so that the window's first picture does not wait for it. Nothing is in its place meanwhile.
 *
 * Not React's `lazy`: of what that has waited for, React shows nothing before 300 ms are over (FALLBACK_THROTTLE_MS, against flicker), and the
 * file is here in a few. One that cannot be had is an exception where the component stands.
 */
export function late<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  return comingFrom(once(load))
}

/** The same, for what people type into right away: fetched when the window has nothing else to do, and there at once when it is wanted. */
export function ahead<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  const source = once(load)
  requestIdleCallback(() => void source.fetched().catch(() => undefined)) // said when it is wanted
  return comingFrom(source)
}

interface Source<P extends object> {
  loaded: () => ComponentType<P> | null
  fetched: () => Promise<ComponentType<P>>
}

/** Fetched once; again only after it could not be had. */
function once<P extends object>(load: () => Promise<ComponentType<P>>): Source<P> {
  let loaded: ComponentType<P> | null = null
  let fetching: Promise<ComponentType<P>> | null = null
  const fetched = (): Promise<ComponentType<P>> =>
    (fetching ??= load().then(
      (component) => (loaded = component),
      (error: unknown) => {
        fetching = null
        throw error
      }
    ))
  return { loaded: () => loaded, fetched }
}

function comingFrom<P extends object>({ loaded, fetched }: Source<P>): ComponentType<P> {
  return function Late(props: P) {
    const [Shown, setShown] = useState<ComponentType<P> | null>(loaded)
    const [failed, setFailed] = useState<{ error: unknown } | null>(null)
    useLayoutEffect(() => {
      if (Shown) return
      let over = false
      fetched().then(
        (component) => !over && setShown(() => component),
        (error: unknown) => !over && setFailed({ error })
      )
      return () => {
        over = true
      }
    }, [Shown])
    if (failed) throw failed.error
    return Shown && <Shown {...props} />
  }
}
