import { useCallback, useEffect, useReducer, useRef, useState } from 'react'
import { Download, EllipsisVertical, Search, SquareTerminal } from 'lucide-react'
import { useStore } from 'zustand'
import type { Machine } from '#contract'
import { ContextMenu, ErrorNotice, IconButton, Menu, formatSize, type MenuItems } from '#ui'
import { copyText } from '../../app'
import { guestKeyboard } from './guest-keyboard'
import { focusOpenTab, RELEASE_KEYS } from './keyboard-release'
import { saveLog } from './save-log'
import { SearchBar } from './search-bar'
import { sessionOf, type ConsoleSession } from './session'
import { PausedBanner, StartBanner, StartPrompt } from './start-prompt'
import { terminalActions, type TerminalAction } from './terminal-actions'
import { toggleScreenReader, useTerminalLook } from './terminal-look'
import styles from './console.module.css'

/** The serial console of a machine: what it printed since its start, and its keyboard. */
export function ConsoleTab({ machine }: { machine: Machine }) {
  const { kind } = machine.state
  if (kind === 'created' || kind === 'broken' || kind === 'starting') {
    return (
      <StartPrompt machine={machine} icon={SquareTerminal}>
        Its serial console is here when it runs.
      </StartPrompt>
    )
  }
  return <Console key={machine.id} machine={machine} session={sessionOf(machine.id)} />
}

function Console({ machine, session }: { machine: Machine; session: ConsoleSession }) {
  const { connection, error, pasting, empty } = useStore(session.store)
  const [searching, setSearching] = useState(false)
  const off = machine.state.kind === 'stopped' || machine.state.kind === 'crashed'
  const save = (): void => void saveLog(machine)
  const actions = useActions(session, () => setSearching(true))
  const host = useConsole(session, machine, actions)

  const menu = (): MenuItems => [
    ...actions.items(['copy', 'paste', 'select-all', 'find', 'clear']),
    null,
    { id: 'size', label: 'Tell the guest this size (stty)', blocked: off ? 'The machine is off.' : null, onSelect: () => tellSize(session) },
    { id: 'save', label: 'Save log…', onSelect: save },
    null,
    ...actions.items(['larger', 'smaller', 'normal-size']),
    null,
    { id: 'reader', label: 'Screen reader support', checked: useTerminalLook.getState().screenReader, onSelect: toggleScreenReader },
    { id: 'leave', label: 'Give the keyboard back', keys: RELEASE_KEYS, onSelect: focusOpenTab }
  ]

  return (
    <div className={styles.console}>
      {off && !empty && <StartBanner machine={machine}>Below is what it printed last.</StartBanner>}
      <PausedBanner machine={machine} />
      {error && !off && <ErrorNotice flush error={{ ...error, next: 'Trying again.' }} onCopy={copyText} />}
      <div className={styles.bar}>
        <span className={styles.what}>serial0</span>
        <span className={styles.note} role="status">
          {pasting ? `pasting, ${formatSize(pasting.bytes)} left; Ctrl+C stops it` : connection === 'connecting' ? 'connecting' : ''}
        </span>
        <IconButton size="small" icon={Search} label="Find" keys="Ctrl+Shift+F" aria-pressed={searching} onClick={() => setSearching(!searching)} />
        <IconButton size="small" icon={Download} label="Save log…" onClick={save} />
        <Menu trigger={<IconButton size="small" icon={EllipsisVertical} label="More" />} items={menu()} />
      </div>
      {off && empty ? (
        <StartPrompt machine={machine} icon={SquareTerminal}>
          It printed nothing on its serial console.
        </StartPrompt>
      ) : null}
      <ContextMenu items={menu}>
        <div className={styles.stage} hidden={off && empty === true}>
          <div ref={host} className={styles.terminal} data-guest-keyboard data-testid="console" />
          {searching && (
            <SearchBar
              search={session.search}
              onClose={() => {
                setSearching(false)
                session.view.terminal.focus()
              }}
            />
          )}
        </div>
      </ContextMenu>
    </div>
  )
}

/** Shows the session in the element it answers a ref for, and wires its keys. */
function useConsole(session: ConsoleSession, { state }: Machine, actions: TerminalAction): (element: HTMLDivElement | null) => (() => void) | undefined {
  const latest = useRef({ state, actions })
  useEffect(() => {
    latest.current = { state, actions }
    session.follow(state)
  })
  return useCallback(
    (element: HTMLDivElement | null) => {
      if (!element) return undefined
      session.follow(latest.current.state)
      const hide = session.show(element)
      const release = guestKeyboard(element, session.view.terminal, (event) => latest.current.actions.onKey(event))
      return () => {
        release()
        hide()
      }
    },
    [session]
  )
}

function useActions(session: ConsoleSession, find: () => void): TerminalAction {
  // Copy can be used while something is selected.
  const [, select] = useReducer((changes: number) => changes + 1, 0)
  useEffect(() => {
    const heard = session.view.terminal.onSelectionChange(select)
    return () => heard.dispose()
  }, [session])
  return terminalActions(session.view.terminal, {
    find,
    paste: (text) => session.input.paste(text),
    clear: () => session.clear()
  })
}

/** A serial line has no size: the guest has to be told, by the shell that is there now. */
function tellSize(session: ConsoleSession): void {
  const { rows, cols } = session.view.terminal
  session.input.type(`stty rows ${rows} cols ${cols}\r`)
  session.view.terminal.focus()
}
