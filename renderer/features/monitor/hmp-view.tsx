import { useCallback, useEffect, useReducer, useRef, type ReactNode } from 'react'
import { Eraser } from 'lucide-react'
import type { Machine } from '#contract'
import { ContextMenu, IconButton, type MenuItems } from '#ui'
import { guestKeyboard, terminalActions, type TerminalAction } from '../console'
import { hmpSessionOf, type HmpSession } from './hmp-session'
import styles from './monitor.module.css'

/** The human monitor, with a line editor of its own. */
export function HmpView({ machine, pid, choice }: { machine: Machine; pid: number; choice: ReactNode }) {
  const session = hmpSessionOf(machine.id)
  useEffect(() => session.greet(pid), [session, pid])
  const actions = useActions(session)
  const host = useTerminal(session, actions)
  const menu = (): MenuItems => [...actions.items(['copy', 'paste', 'select-all', 'clear']), null, ...actions.items(['larger', 'smaller', 'normal-size'])]
  return (
    <div className={styles.monitor}>
      <div className={styles.bar}>
        {choice}
        <span className={styles.space} />
        <IconButton size="small" icon={Eraser} label="Clear" keys="Ctrl+L" onClick={() => session.clear()} />
      </div>
      <ContextMenu items={menu}>
        <div className={styles.stage}>
          <div ref={host} className={styles.terminal} data-guest-keyboard data-testid="monitor" />
        </div>
      </ContextMenu>
    </div>
  )
}

function useActions(session: HmpSession): TerminalAction {
  const [, select] = useReducer((changes: number) => changes + 1, 0)
  useEffect(() => {
    const heard = session.view.terminal.onSelectionChange(select)
    return () => heard.dispose()
  }, [session])
  return terminalActions(session.view.terminal, { paste: (text) => session.paste(text), clear: () => session.clear() })
}

function useTerminal(session: HmpSession, actions: TerminalAction): (element: HTMLDivElement | null) => (() => void) | undefined {
  const latest = useRef(actions)
  useEffect(() => void (latest.current = actions))
  return useCallback(
    (element: HTMLDivElement | null) => {
      if (!element) return undefined
      const unmount = session.view.mount(element)
      const release = guestKeyboard(element, session.view.terminal, (event) => latest.current.onKey(event))
      return () => {
        release()
        unmount()
      }
    },
    [session]
  )
}
