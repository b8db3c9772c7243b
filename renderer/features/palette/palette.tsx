import { Command as Menu } from 'cmdk'
import { Dialog as Primitive } from 'radix-ui'
import { Monitor } from 'lucide-react'
import { allCommands, allMachines, blockedBy, closeOverlay, goToMachine, runCommand, type Command } from '../../app'
import { Kbd } from '#ui'
import styles from './palette.module.css'

const SECTIONS: Command['section'][] = ['Machine', 'Images', 'Tasks', 'Go to', 'View', 'Help']

/** Ctrl+K: every command and every machine, found by typing a part of its name. */
export function Palette() {
  const choose = (act: () => void): void => {
    closeOverlay()
    // After the palette has given the focus back, so that what opens next gets it.
    requestAnimationFrame(act)
  }
  const commands = allCommands().filter((command) => command.listed !== false)
  return (
    <Primitive.Root open onOpenChange={(open) => !open && closeOverlay()}>
      <Primitive.Portal>
        <Primitive.Overlay className={styles.scrim} />
        <Primitive.Content className={styles.palette} aria-describedby={undefined}>
          <Primitive.Title className="visually-hidden">Command palette</Primitive.Title>
          <Menu label="Commands and machines" loop>
            <Menu.Input className={styles.input} placeholder="Type a command or a machine’s name" />
            <Menu.List className={styles.list}>
              <Menu.Empty className={styles.empty}>Nothing fits.</Menu.Empty>
              <Menu.Group heading="Machines" className={styles.group}>
                {allMachines().map((machine) => (
                  <Menu.Item key={machine.id} value={`machine ${machine.name} ${machine.id}`} className={styles.item} onSelect={() => choose(() => goToMachine(machine.id))}>
                    <Monitor size={15} aria-hidden />
                    <span className={styles.title}>{machine.name}</span>
                    <span className={styles.note}>{machine.state.kind}</span>
                  </Menu.Item>
                ))}
              </Menu.Group>
              {SECTIONS.map((section) => (
                <Menu.Group key={section} heading={section} className={styles.group}>
                  {commands.filter((command) => command.section === section).map((command) => <Entry key={command.id} command={command} choose={choose} />)}
                </Menu.Group>
              ))}
            </Menu.List>
          </Menu>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  )
}

/** One that cannot be run now stays listed, with the reason. */
function Entry({ command, choose }: { command: Command; choose: (act: () => void) => void }) {
  const blocked = blockedBy(command.id)
  const Icon = command.icon
  return (
    <Menu.Item
      value={`${command.title} ${command.id}`}
      keywords={command.alias?.split(' ') ?? []}
      className={styles.item}
      data-blocked={blocked !== null || undefined}
      onSelect={() => choose(() => runCommand(command.id))}
    >
      {Icon ? <Icon size={15} aria-hidden /> : <span className={styles.noIcon} />}
      <span className={styles.title}>{command.title}</span>
      {blocked !== null ? <span className={styles.note}>{blocked}</span> : command.keys?.[0] && <Kbd keys={command.keys[0]} />}
    </Menu.Item>
  )
}
