import { Monitor, MonitorOff } from 'lucide-react'
import type { Machine } from '#contract'
import { Button, EmptyState } from '#ui'
import { attempt } from '../../app'
import { StartPrompt } from '../console'
import { Screen } from './screen'

/** The graphical screen of a machine, with its keyboard and pointer. */
export function DisplayTab({ machine }: { machine: Machine }) {
  const { definition, state } = machine
  const runs = 'pid' in state
  if (!runs || !definition) {
    if (definition && !definition.display) return <NoDisplay machine={machine} />
    return (
      <StartPrompt machine={machine} icon={Monitor}>
        Its screen is here when it runs.
      </StartPrompt>
    )
  }
  // What runs was started before the setting changed: on now and off from the next start, or the other way round.
  const startedWith = machine.pending.includes('display') ? !definition.display : definition.display
  return startedWith ? <Screen key={`${machine.id} ${state.pid}`} machine={machine} /> : <NoDisplay machine={machine} />
}

/** Says why there is nothing to see, and offers to switch it on. */
function NoDisplay({ machine }: { machine: Machine }) {
  const on = machine.definition?.display ?? false
  const runs = 'pid' in machine.state
  const switchOn = (): void => void attempt('machine.edit', { machine: machine.id, display: true })
  return (
    <EmptyState
      icon={MonitorOff}
      title={`${machine.name} has no display`}
      actions={
        on ? undefined : (
          <Button variant="primary" onClick={switchOn}>
            Switch on
          </Button>
        )
      }
    >
      <p>{on ? 'It is switched on, and will be there when the machine is stopped and started again.' : 'It was created without a screen.'}</p>
      {!on && runs && <p>QEMU adds a screen at its start: the running machine gets it when it is stopped and started again.</p>}
    </EmptyState>
  )
}
