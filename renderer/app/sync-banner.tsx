import { Button } from '../ui/button'
import { ErrorNotice } from '../ui/notice'
import { copyText } from './clipboard'
import { readAgain, useSync } from './world/sync'

/** When what the window shows can no longer be trusted: why, and a way to try again. */
export function SyncBanner() {
  const state = useSync((sync) => sync.state)
  if (state.kind !== 'lost') return null
  return <ErrorNotice flush error={state.error} onCopy={copyText} actions={<Button onClick={readAgain}>Try again</Button>} />
}
