import { Command as Menu } from 'cmdk'
import { Dialog as Primitive } from 'radix-ui'
import type { Machine } from '#contract'
import { Kbd, StateIcon, useFocusReturn } from '#ui'
import { allCommands, allMachines, closeOverlay, runCommand, type Command } from '../../app'
import { byName, lookOf, selectOnly } from '../machines'
import styles from './palette.module.css'

/** Ctrl+K: every command and every machine, found by typing a part of its name. What is not possible now comes last, with the reason. */
export function Palette() {
  const { ref, onCloseAutoFocus, afterwards } = useFocusReturn()
  const choose = (act: () => void): void => {
    afterwards(act)
    closeOverlay()
  }
  const listed = allCommands()
    .filter((command) => command.listed !== false)
    .map((command) => ({ command, blocked: command.blocked?.() ?? null }))
  const entries = (blocked: boolean) =>
    listed
      .filter((entry) => (entry.blocked !== null) === blocked)
      .map((entry) => <CommandEntry key={entry.command.id} {...entry} onChoose={() => choose(() => runCommand(entry.command.id))} />)
  return (
    <Primitive.Root open onOpenChange={(open) => !open && closeOverlay()}>
      <Primitive.Portal>
        <Primitive.Overlay className={styles.scrim} />
        <Primitive.Content ref={ref} className={styles.palette} aria-describedby={undefined} onCloseAutoFocus={onCloseAutoFocus}>
          <Primitive.Title className="visually-hidden">Command palette</Primitive.Title>
          <Menu label="Commands and machines" loop>
            <Menu.Input className={styles.input} placeholder="Type a command or a machine’s name" />
            <Menu.List className={styles.list}>
              <Menu.Empty className={styles.empty}>Nothing fits.</Menu.Empty>
              <Menu.Group heading="Commands" className={styles.group}>
                {entries(false)}
              </Menu.Group>
              <Menu.Group heading="Machines" className={styles.group}>
                {allMachines()
                  .sort(byName)
                  .map((machine) => (
                    <MachineEntry key={machine.id} machine={machine} onChoose={() => choose(() => selectOnly(machine.id))} />
                  ))}
              </Menu.Group>
              <Menu.Group heading="Not possible now" className={styles.group}>
                {entries(true)}
              </Menu.Group>
            </Menu.List>
          </Menu>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  )
}

function MachineEntry({ machine, onChoose }: { machine: Machine; onChoose: () => void }) {
  const look = lookOf(machine.state)
  return (
    <Menu.Item
      value={`machine ${machine.name} ${machine.id}`}
      keywords={machine.definition?.tags ?? []}
      className={styles.item}
      onSelect={onChoose}
    >
      <StateIcon look={look} size={15} />
      <span className={styles.title} dir="auto">
        {machine.name}
      </span>
      <span className={styles.note}>{look.word}</span>
    </Menu.Item>
  )
}

function CommandEntry({ command, blocked, onChoose }: { command: Command; blocked: string | null; onChoose: () => void }) {
  const Icon = command.icon
  return (
    <Menu.Item
      value={`${command.title} ${command.id}`}
      keywords={[command.section, ...(command.alias?.split(' ') ?? [])]}
      className={styles.item}
      data-blocked={blocked !== null || undefined}
      onSelect={onChoose}
    >
      {Icon ? <Icon size={15} strokeWidth={1.75} aria-hidden /> : <span className={styles.noIcon} />}
      <span className={styles.title}>{command.section === 'Go to' ? `Go to: ${command.title}` : command.title}</span>
      {blocked !== null ? <span className={styles.note}>{blocked}</span> : command.keys?.[0] && <Kbd keys={command.keys[0]} />}
    </Menu.Item>
  )
}
