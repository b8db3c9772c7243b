import { createRoot } from 'react-dom/client'
import type { Bridge } from '#contract'
import { startSelection } from '../features/machines'
import { App } from './app'
import { openBridge } from './bridge'
import { startKeyboard } from './commands/keyboard'
import { commandList } from './commands/list'
import { runCommand, setCommands } from './commands/registry'
import { ErrorBoundary } from './error-boundary'
import { startTheme } from './theme'
import { startSync } from './world/sync'

/** Brings the window to life over a bridge. Answers the function that ends it. */
export function startWindow(bridge: Bridge, root: HTMLElement): () => void {
  openBridge(bridge)
  setCommands(commandList)
  const stops = [startTheme(bridge.shell.facts.still), startSync(), startKeyboard(), startSelection(), bridge.shell.onCommand(runCommand)]
  const react = createRoot(root)
  react.render(
    <ErrorBoundary>
      <App />
    </ErrorBoundary>
  )
  return () => {
    react.unmount()
    stops.forEach((stop) => stop())
  }
}
