import { createRoot } from 'react-dom/client'
import '../ui/base.css'
import { startSelection } from '../features/machines'
import { App } from './app'
import { openBridge, shell } from './bridge'
import { startKeyboard } from './commands/keyboard'
import { commandList } from './commands/list'
import { runCommand, setCommands } from './commands/registry'
import { ErrorBoundary } from './error-boundary'
import { startTheme } from './theme'
import { startSync } from './world/sync'

openBridge(window.strata)
setCommands(commandList)
startTheme(shell().facts.still)
startKeyboard()
startSync()
startSelection()
shell().onCommand(runCommand)

const root = document.getElementById('root')
if (!root) throw new Error('the page has no #root')
createRoot(root).render(
  <ErrorBoundary>
    <App />
  </ErrorBoundary>
)
