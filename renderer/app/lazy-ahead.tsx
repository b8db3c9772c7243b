import { lazy, useState, type ComponentType } from 'react'

/**
 * A component that is not in the way of the window's first picture, and is there at once when it is wanted later: fetched when
 * the window has nothing else to do. For what people type into right away; what is only looked at is `lazy`.
 */
export function lazyAhead<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | null = null
  const fetched = async (): Promise<{ default: ComponentType<P> }> => ({ default: (loaded = await load()) })
  const Late = lazy(fetched)
  requestIdleCallback(() => void fetched())
  return function Ahead(props: P) {
    // Which of the two stays the same while it is shown.
    const [Shown] = useState<ComponentType<P>>(() => loaded ?? Late)
    return <Shown {...props} />
  }
}
