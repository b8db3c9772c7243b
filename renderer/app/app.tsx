import { DiskDialogs, DisksScreen } from '../features/disks'
import { ShareDialog, SharesScreen } from '../features/shares'
import { LabDialogs, LabsScreen } from '../features/labs'
import { SnapshotDialogs, SnapshotsScreen } from '../features/snapshots'
import { MachineDialogs, MachinePane, MachineScreen } from '../features/machines'
import { HostBanner, StatusBar } from '../features/status'
import { TasksPanel } from '../features/tasks'
import { Tour } from '../features/tour'
import { ahead, late } from '../ui/late'
import { Splitter } from '../ui/splitter'
import { Toasts } from '../ui/toast'
import { TooltipLayer } from '../ui/tooltip'
import { ErrorBoundary } from './error-boundary'
import { closeOverlay, openOverlay, useOverlay } from './overlays'
import { createPersisted } from './persisted'
import { goToMachine, usePlaces, type Place } from './places'
import { Navigation } from './navigation'
import { SyncBanner } from './sync-banner'
import { dismissToast, useToasts } from './toasts'
import { useMachines } from './world/machines'
import styles from './app.module.css'

// What the first picture of the window does not need comes when it is opened.
const ImagesScreen = late(() => import('../features/images').then((module) => module.ImagesScreen))
const RingScreen = late(() => import('../features/ring').then((module) => module.RingScreen))
const StoreScreen = late(() => import('../features/store').then((module) => module.StoreScreen))
const ImportDialog = late(() => import('../features/images').then((module) => module.ImportDialog))
const FindImageDialog = late(() => import('../features/images').then((module) => module.FindImageDialog))
const Welcome = late(() => import('../features/welcome').then((module) => module.Welcome))
const SettingsScreen = late(() => import('../features/settings').then((module) => module.SettingsScreen))
const Palette = ahead(() => import('../features/palette').then((module) => module.Palette))
const Shortcuts = late(() => import('../features/palette').then((module) => module.Shortcuts))
const About = late(() => import('./about').then((module) => module.About))

const SIDEBAR = { min: 200, initial: 256, max: 480 }
const useSidebar = createPersisted('sidebar', { width: SIDEBAR.initial }, ({ width }) => width >= SIDEBAR.min && width <= SIDEBAR.max)

/** The window: machines and places at the left, one place at the right, the state of things at the bottom. */
export function App() {
  const width = useSidebar((state) => state.width)
  return (
    <div className={styles.window}>
      <HostBanner />
      <SyncBanner />
      <div className={styles.middle}>
        <nav className={styles.sidebar} style={{ width }} aria-label="Machines and places">
          <MachinePane onPainted={markListPainted} />
          <Navigation />
        </nav>
        <Splitter label="Width of the sidebar" width={width} {...SIDEBAR} onChange={(next) => useSidebar.setState({ width: next })} />
        <main className={styles.main} data-part="page">
          <PlaceView />
        </main>
      </div>
      <StatusBar />
      <Overlays />
      <Tour />
      <Toasts toasts={useToasts((state) => state.toasts)} onDismiss={dismissToast} />
      <TooltipLayer />
    </div>
  )
}

/** A mistake in one place leaves the list, and the way to other places. */
function PlaceView() {
  const place = usePlaces((state) => state.place)
  return (
    <ErrorBoundary key={place.kind === 'machine' ? place.id : place.kind} part>
      <PlaceContent place={place} />
    </ErrorBoundary>
  )
}

function PlaceContent({ place }: { place: Place }) {
  switch (place.kind) {
    case 'home':
      return <Home />
    case 'machine':
      return <MachineScreen id={place.id} tab={place.tab} />
    case 'disks':
      return <DisksScreen />
    case 'snapshots':
      return <SnapshotsScreen />
    case 'shares':
      return <SharesScreen />
    case 'labs':
      return <LabsScreen />
    case 'images':
      return <ImagesScreen />
    case 'ring':
      return <RingScreen />
    case 'store':
      return <StoreScreen />
    case 'tasks':
      return <TasksPanel taskId={place.taskId} />
    case 'settings':
      return <SettingsScreen />
  }
}

function Home() {
  const loaded = useMachines((state) => state.loaded)
  if (!loaded) return null
  return (
    <Welcome
      onReady={(id) => goToMachine(id, 'console')}
      onCreateOther={() => openOverlay({ kind: 'create' })}
      onTour={() => openOverlay({ kind: 'tour-intro' })}
    />
  )
}

function Overlays() {
  const overlay = useOverlay((state) => state.overlay)
  return (
    <>
      {overlay?.kind === 'palette' && <Palette />}
      {overlay?.kind === 'shortcuts' && <Shortcuts />}
      {overlay?.kind === 'about' && <About onClose={closeOverlay} />}
      {overlay?.kind === 'import-image' && <ImportDialog path={overlay.path} />}
      {overlay?.kind === 'find-image' && <FindImageDialog image={overlay.image} />}
      {overlay?.kind === 'disk' && <DiskDialogs key={`${overlay.action} ${overlay.machine} ${overlay.disk}`} overlay={overlay} />}
      {overlay?.kind === 'share' && <ShareDialog machine={overlay.machine} disk={overlay.disk} to={overlay.to ?? null} />}
      {overlay?.kind === 'snapshot' && <SnapshotDialogs key={`${overlay.action} ${overlay.snapshot}`} overlay={overlay} />}
      {overlay?.kind === 'lab' && <LabDialogs key={overlay.action} overlay={overlay} />}
      <MachineDialogs />
    </>
  )
}

/** When the list of machines can first be seen, with names and then with states: what the start of the app is measured by. */
function markListPainted(what: 'names' | 'states'): void {
  const mark = `strata:list-painted-${what}`
  if (performance.getEntriesByName(mark).length > 0) return
  // After the frame that shows it: the next one's callback, and then a task.
  requestAnimationFrame(() => setTimeout(() => performance.mark(mark)))
}
