import { allCommands, closeOverlay } from '../../app'
import { Dialog, Kbd } from '#ui'
import styles from './shortcuts.module.css'

/** Every shortcut there is, from the same list that runs them. */
export function Shortcuts() {
  const withKeys = allCommands().filter((command) => (command.keys?.length ?? 0) > 0)
  const sections = [...new Set(withKeys.map((command) => command.section))]
  return (
    <Dialog title="Keyboard shortcuts" onClose={closeOverlay} width={640}>
      <div className={styles.sections}>
        {sections.map((section) => (
          <section key={section}>
            <h3>{section}</h3>
            <dl>
              {withKeys
                .filter((command) => command.section === section)
                .map((command) => (
                  <div key={command.id} className={styles.row}>
                    <dt>{command.title.replace('…', '')}</dt>
                    <dd>
                      {command.keys?.map((keys) => <Kbd key={keys} keys={keys} />)}
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
