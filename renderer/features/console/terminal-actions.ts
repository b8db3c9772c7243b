import type { Terminal } from '@xterm/xterm'
import type { MenuItem } from '#ui'
import { copyText, shell } from '../../app'
import { zoomTerminals } from './terminal-look'

type ActionId = 'copy' | 'paste' | 'select-all' | 'find' | 'clear' | 'larger' | 'smaller' | 'normal-size'

/** What every terminal offers, by menu and by key. */
export interface TerminalAction {
  items(ids: readonly ActionId[]): MenuItem[]
  /** For xterm.js: false keeps a key from the guest. */
  onKey(event: KeyboardEvent): boolean
}

interface Action {
  label: string
  keys: string
  run: () => void
  blocked?: () => string | null
  /** Whether this key press is its shortcut. */
  matches: (event: KeyboardEvent) => boolean
}

/** `mine.paste` gets what is on the clipboard; without it the terminal takes no input and offers no Paste. */
export function terminalActions(terminal: Terminal, mine: { find?: () => void; paste: (text: string) => void; clear: () => void }): TerminalAction {
  const actions: Partial<Record<ActionId, Action>> = {
    copy: {
      label: 'Copy',
      keys: 'Ctrl+Shift+C',
      run: () => copyText(terminal.getSelection()),
      blocked: () => (terminal.hasSelection() ? null : 'Nothing is selected.'),
      matches: withShift('KeyC')
    },
    paste: {
      label: 'Paste',
      keys: 'Ctrl+Shift+V',
      run: () => {
        terminal.focus()
        void shell().readClipboard().then(mine.paste)
      },
      matches: (event) => withShift('KeyV')(event) || (event.shiftKey && event.key === 'Insert')
    },
    'select-all': { label: 'Select all', keys: 'Ctrl+Shift+A', run: () => terminal.selectAll(), matches: withShift('KeyA') },
    clear: { label: 'Clear', keys: 'Ctrl+Shift+L', run: mine.clear, matches: withShift('KeyL') },
    larger: { label: 'Larger text', keys: 'Ctrl++', run: () => zoomTerminals(1), matches: (event) => onlyCtrl(event) && (event.key === '+' || event.key === '=') },
    smaller: { label: 'Smaller text', keys: 'Ctrl+-', run: () => zoomTerminals(-1), matches: (event) => onlyCtrl(event) && event.key === '-' },
    'normal-size': { label: 'Normal text size', keys: 'Ctrl+0', run: () => zoomTerminals(0), matches: (event) => onlyCtrl(event) && event.key === '0' }
  }
  if (mine.find) {
    actions.find = {
      label: 'Find…',
      keys: 'Ctrl+Shift+F',
      run: mine.find,
      // Ctrl+F too, but not from a full-screen program: there it is a page down in vi and less.
      matches: (event) => withShift('KeyF')(event) || (onlyCtrl(event) && event.code === 'KeyF' && terminal.buffer.active.type === 'normal')
    }
  }
  return {
    items: (ids) =>
      ids.flatMap((id) => {
        const action = actions[id]
        return action ? [{ id, label: action.label, keys: action.keys, blocked: action.blocked?.() ?? null, onSelect: action.run }] : []
      }),
    onKey: (event) => {
      const action = Object.values(actions).find(({ matches }) => matches(event))
      if (!action) return !(event.ctrlKey && event.shiftKey && /^Key[A-Z]$/.test(event.code))
      event.preventDefault()
      if (event.type === 'keydown' && !action.blocked?.()) action.run()
      return false
    }
  }
}

const withShift =
  (code: string) =>
  (event: KeyboardEvent): boolean =>
    event.ctrlKey && event.shiftKey && !event.altKey && !event.metaKey && event.code === code
const onlyCtrl = (event: KeyboardEvent): boolean => event.ctrlKey && !event.altKey && !event.metaKey
