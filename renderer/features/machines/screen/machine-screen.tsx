import { Ghost } from 'lucide-react'
import type { Machine } from '#contract'
import { ErrorBoundary, goTo, keysOf, MACHINE_TABS, useMachine, useMachines, type MachineTab } from '../../../app'
import { Button } from '../../../ui/button'
import { late } from '../../../ui/late'
import { EmptyState } from '../../../ui/notice'
import { Tabs } from '../../../ui/tabs'
import { DisksTab, TemporaryBanner } from '../../disks'
import { SnapshotsTab } from '../../snapshots'
import { useDraftOf } from '../settings-tab/draft'
import { MachineHeader } from './header'
import styles from './screen.module.css'

// Each comes when its tab is first opened: a terminal emulator and a VNC client are no part of the window's start.
const Overview = late(() => import('../overview/overview').then((module) => module.Overview))
const SettingsTab = late(() => import('../settings-tab/settings-tab').then((module) => module.SettingsTab))
const ConsoleTab = late(() => import('../../console').then((module) => module.ConsoleTab))
const DisplayTab = late(() => import('../../display').then((module) => module.DisplayTab))
const MonitorTab = late(() => import('../../monitor').then((module) => module.MonitorTab))

const LABELS: Record<MachineTab, string> = {
  overview: 'Overview',
  console: 'Console',
  display: 'Display',
  disks: 'Disks',
  snapshots: 'Snapshots',
  monitor: 'Monitor',
  settings: 'Settings'
}

/** One machine: header, tabs, and the active tab. */
export function MachineScreen({ id, tab }: { id: string; tab: MachineTab }) {
  const machine = useMachine(id)
  const loaded = useMachines((state) => state.loaded)
  const unsaved = useDraftOf(id) !== null
  if (!machine) return loaded ? <Gone /> : null
  const tabs = MACHINE_TABS.map((one) => ({
    id: one,
    label: LABELS[one],
    keys: keysOf(`view.tab-${one}`),
    mark: one === 'settings' && unsaved ? 'unsaved changes' : null
  }))
  return (
    <div className={styles.screen}>
      <MachineHeader machine={machine} />
      <TemporaryBanner machine={machine} />
      <Tabs label={`Parts of ${machine.name}`} tabs={tabs} active={tab} onChange={(next) => goTo({ kind: 'machine', id, tab: next })}>
        {/* A key by machine: nothing of one machine is left when another is shown. */}
        <ErrorBoundary key={`${id} ${tab}`} part>
          <TabContent machine={machine} tab={tab} />
        </ErrorBoundary>
      </Tabs>
    </div>
  )
}

function TabContent({ machine, tab }: { machine: Machine; tab: MachineTab }) {
  switch (tab) {
    case 'overview':
      return <Overview machine={machine} />
    case 'settings':
      return <SettingsTab machine={machine} />
    case 'console':
      return <ConsoleTab machine={machine} />
    case 'display':
      return <DisplayTab machine={machine} />
    case 'disks':
      return <DisksTab machine={machine} />
    case 'snapshots':
      return <SnapshotsTab machine={machine} />
    case 'monitor':
      return <MonitorTab machine={machine} />
  }
}

const Gone = () => (
  <EmptyState
    icon={Ghost}
    title="This machine is not here any more"
    actions={<Button onClick={() => goTo({ kind: 'home' })}>Close</Button>}
  >
    It was deleted, or its folder was taken out of the library.
  </EmptyState>
)
