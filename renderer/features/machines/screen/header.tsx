import { EllipsisVertical } from 'lucide-react'
import type { Machine } from '#contract'
import { useHost } from '../../../app'
import { StateBadge } from '../../../ui/badge'
import { Button, IconButton } from '../../../ui/button'
import { Menu } from '../../../ui/menu'
import { CountDown, Elapsed } from '../../../ui/time'
import { headerActions, menuOfHeader } from '../menu'
import { lookOf, sentenceOf } from '../words'
import styles from './screen.module.css'

/** Name, state and at most three actions: one or two that fit the state, and a menu with the rest. */
export function MachineHeader({ machine }: { machine: Machine }) {
  // The reasons of blocked actions depend on the host.
  useHost((state) => state.host?.qemu)
  const { state } = machine
  const actions = headerActions(machine)
  return (
    <header className={styles.header}>
      <div className={styles.title}>
        <h1 dir="auto" title={machine.name}>
          {machine.name}
        </h1>
        <StateBadge look={lookOf(state)} hint={sentenceOf(machine)} />
        <span className={styles.since}>
          {(state.kind === 'running' || state.kind === 'paused') && <Elapsed sinceMs={state.sinceMs} />}
          {state.kind === 'stopping' && !state.overdue && state.askedBy !== 'force' && (
            <>
              force is offered in <CountDown untilMs={state.deadlineMs} />
            </>
          )}
        </span>
      </div>
      <div className={styles.actions}>
        {actions.map((action, index) => (
          <Button
            key={action.id}
            {...(action.icon ? { icon: action.icon } : {})}
            variant={buttonVariant(action.id, index)}
            blocked={action.blocked ?? null}
            keys={action.keys}
            onClick={action.onSelect}
          >
            {action.label}
          </Button>
        ))}
        <Menu trigger={<IconButton icon={EllipsisVertical} label="More actions" variant="plain" />} items={menuOfHeader(machine)} />
      </div>
    </header>
  )
}

function buttonVariant(id: string, index: number): 'primary' | 'danger' | 'plain' {
  if (id === 'force-off') return 'danger'
  return index === 0 && (id === 'start' || id === 'resume') ? 'primary' : 'plain'
}
