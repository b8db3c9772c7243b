import { Component, type ErrorInfo, type ReactNode } from 'react'
import { Button } from '../ui/button'
import { ErrorNotice } from '../ui/notice'
import { copyText } from './clipboard'

/** A bug in the window, or with `part` in a part of it: it says so, machines run on, and the window can be loaded again. */
export class ErrorBoundary extends Component<{ children: ReactNode; part?: boolean }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null }

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error }
  }

  override componentDidCatch(error: Error, info: ErrorInfo): void {
    console.error(error, info.componentStack)
  }

  override render(): ReactNode {
    const { error } = this.state
    if (!error) return this.props.children
    const notice = {
      code: 'internal',
      message: `${this.props.part ? 'This part of the window' : 'The window'} made a mistake and cannot go on. Machines run on meanwhile.`,
      next: 'Load the window again. If it happens again, please report it with the details.',
      causes: [error.stack ?? error.message]
    }
    return (
      <main style={{ padding: 24 }}>
        <ErrorNotice error={notice} onCopy={copyText} actions={<Button onClick={() => location.reload()}>Load again</Button>} />
      </main>
    )
  }
}
