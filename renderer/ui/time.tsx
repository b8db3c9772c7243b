import { formatExact, formatRelative, formatSpan } from './format'
import { useNow } from './now'
import { tip } from './tip'

/** `3 minutes ago`, the exact time on hover. */
export function RelativeTime({ atMs }: { atMs: number }) {
  const now = useNow('quarterMinute')
  return (
    <time dateTime={new Date(atMs).toISOString()} {...tip(formatExact(atMs))}>
      {formatRelative(atMs, Math.max(now, atMs))}
    </time>
  )
}

/** How long something has lasted, counting seconds. */
export function Elapsed({ sinceMs }: { sinceMs: number }) {
  const now = useNow('second')
  return <time {...tip('since ' + formatExact(sinceMs))}>{formatSpan(Math.max(0, now - sinceMs))}</time>
}

/** What is left until a time, counting down to nothing. */
export function CountDown({ untilMs }: { untilMs: number }) {
  const now = useNow('second')
  return <span role="timer">{formatSpan(Math.max(0, untilMs - now))}</span>
}
