import { Dialog, Kbd } from '#ui'
import { allCommands, closeOverlay } from '../../app'
import styles from './shortcuts.module.css'

/** Keys that belong to a part of the window and are no commands. */
const FURTHER: { section: string; keys: [title: string, ...keys: string[]][] }[] = [
  {
    section: 'In the list of machines',
    keys: [
      ['Move', 'ArrowUp', 'ArrowDown'],
      ['Select a range', 'Shift+ArrowDown'],
      ['Select all', 'Ctrl+A'],
      ['Delete', 'Delete']
    ]
  },
  {
    section: 'In a console or display',
    keys: [
      ['Give the keyboard back', 'Ctrl+Alt'],
      ['Copy, paste', 'Ctrl+Shift+C', 'Ctrl+Shift+V'],
      ['Find in the console', 'Ctrl+Shift+F']
    ]
  }
]

/** Every shortcut there is: those of the commands from the same list that runs them. */
export function Shortcuts() {
  const withKeys = allCommands().filter((command) => (command.keys?.length ?? 0) > 0)
  const sections = [...new Set(withKeys.map((command) => command.section))].map((section) => ({
    section: section,
    keys: withKeys
      .filter((command) => command.section === section)
      .map((command): [string, ...string[]] => [command.title.replace('…', ''), ...(command.keys ?? [])])
  }))
  return (
    <Dialog title="Keyboard shortcuts" onClose={closeOverlay} width={680}>
      <div className={styles.sections}>
        {[...sections, ...FURTHER].map(({ section, keys }) => (
          <section key={section}>
            <h3>{section}</h3>
            <dl>
              {keys.map(([title, ...shown]) => (
                <div key={title} className={styles.row}>
                  <dt>{title}</dt>
                  <dd>
                    {shown.map((one) => (
                      <Kbd key={one} keys={one} />
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  )
}
