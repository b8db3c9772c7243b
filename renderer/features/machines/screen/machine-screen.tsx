import { lazy, Suspense } from 'react'
import { Ghost } from 'lucide-react'
import type { Machine } from '#contract'
import { ErrorBoundary, goTo, keysOf, MACHINE_TABS, useMachine, useMachines, type MachineTab } from '../../../app'
import { Button } from '../../../ui/button'
import { EmptyState } from '../../../ui/notice'
import { Tabs } from '../../../ui/tabs'
import { DisksTab, TemporaryBanner } from '../../disks'
import { SnapshotsTab } from '../../snapshots'
import { useDraftOf } from '../settings-tab/draft'
import { MachineHeader } from './header'
import styles from './screen.module.css'

// Each comes when its tab is first opened: a terminal emulator and a VNC client are no part of the window's start.
const Overview = lazy(() => import('../overview/overview').then((module) => ({ default: module.Overview })))
const SettingsTab = lazy(() => import('../settings-tab/settings-tab').then((module) => ({ default: module.SettingsTab })))
const ConsoleTab = lazy(() => import('../../console').then((module) => ({ default: module.ConsoleTab })))
const DisplayTab = lazy(() => import('../../display').then((module) => ({ default: module.DisplayTab })))
const MonitorTab = lazy(() => import('../../monitor').then((module) => ({ default: module.MonitorTab })))

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
      <Suspense fallback={null}>
        <TemporaryBanner machine={machine} />
      </Suspense>
      <Tabs label={`Parts of ${machine.name}`} tabs={tabs} active={tab} onChange={(next) => goTo({ kind: 'machine', id, tab: next })}>
        {/* A key by machine: nothing of one machine is left when another is shown. */}
        <ErrorBoundary key={`${id} ${tab}`} part>
          <Suspense fallback={null}>
            <TabContent machine={machine} tab={tab} />
          </Suspense>
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
