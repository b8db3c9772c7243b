import styles from './kbd.module.css'

/** A shortcut as it stands on the keys: `Ctrl+Shift+P`. */
export function Kbd({ keys }: { keys: string }) {
  // A plus at the end is the key itself: `Ctrl++`.
  const parts = keys.split(/\+(?!$)/)
  return (
    <span className={styles.kbd} aria-label={keys}>
      {parts.map((part) => (
        <kbd key={part}>{NAMES[part] ?? part}</kbd>
      ))}
    </span>
  )
}

const NAMES: Record<string, string> = {
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  Delete: 'Del',
  Escape: 'Esc',
  Enter: '↵',
  ' ': 'Space'
}
