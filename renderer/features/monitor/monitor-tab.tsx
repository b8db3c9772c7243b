import { useState } from 'react'
import { TerminalSquare } from 'lucide-react'
import type { Machine } from '#contract'
import { StartPrompt } from '../console'
import { HmpView } from './hmp-view'
import { QmpView } from './qmp-view'
import { ViewSwitch, type MonitorView } from './view-switch'

/** QEMU's monitor of a running machine: the one people type into (HMP), and the messages of the one programs use (QMP). */
export function MonitorTab({ machine }: { machine: Machine }) {
  const [view, setView] = useState<MonitorView>('hmp')
  const { state } = machine
  if (!('pid' in state)) {
    return (
      <StartPrompt machine={machine} icon={TerminalSquare}>
        QEMU’s monitor is here when it runs.
      </StartPrompt>
    )
  }
  const choice = <ViewSwitch view={view} onChange={setView} />
  return view === 'hmp' ? <HmpView key={machine.id} machine={machine} pid={state.pid} choice={choice} /> : <QmpView key={machine.id} machine={machine} choice={choice} />
}
