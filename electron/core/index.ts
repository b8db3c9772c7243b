import { setMaxListeners } from 'node:events'
import type { Duplex } from 'node:stream'
import { dirname, join } from 'node:path'
import { failure, isOperationName, isStreamName, operations, streams, toAppError, type Change, type Event, type OperationName, type Result } from '#contract'
import type { ApiStatus, Context, Handler, Handlers } from './context'
import type { Core } from './core'
import { Images } from './disk/images'
import { diskHandlers, overlayHandlers } from './handlers/disk'
import { guestHandlers } from './handlers/guest'
import { labHandlers } from './handlers/lab'
import { machineHandlers } from './handlers/machine'
import { ringHandlers } from './handlers/ring'
import { hostHandlers, imageHandlers, taskHandlers } from './handlers/others'
import { storeHandlers } from './handlers/store'
import { traceHandlers } from './handlers/trace'
import { shareHandlers } from './handlers/share'
import { snapshotHandlers } from './handlers/snapshot'
import { HostWatch } from './host/host'
import { Labs } from './lab/labs'
import { openLibrary, type Library } from './library/library'
import { Machines } from './machine/machines'
import { finishAllPending } from './machine/overlays'
import { openStream } from './machine/streams'
import { Ring } from './ring/ring'
import { SettingsStore } from './settings'
import { Store } from './store/store'
import { Shares } from './share/shares'
import { archiveLater } from './snapshot/archive'
import { removeHalfMade } from './snapshot/half-made'
import { resumeInterrupted } from './snapshot/interrupted'
import { Snapshots } from './snapshot/snapshots'
import { Standbys } from './snapshot/standby'
import { TaskJournal } from './task/journal'
import { Tasks } from './task/tasks'
import { Traces } from './trace/traces'
import { checkedInput } from './input'

export type { Core } from './core'

export interface CoreOptions {
  /** STRATA_HOME, XDG_RUNTIME_DIR and PATH are read from it. */
  environment: NodeJS.ProcessEnv
  /** Folder that the guest recipe made. */
  builtinGuest: string
}

/** A core that owns its library, and what a process that serves it needs to know. */
export interface OwnedCore extends Core {
  readonly library: Library
  /** Whoever serves the API says here where it listens. */
  readonly api: ApiStatus
}

/** Beside the bundle in a clone (out/main -> out/guest), in the packaged app among its resources. */
function defaultGuest(environment: NodeJS.ProcessEnv): string {
  const packaged = (process as { resourcesPath?: string }).resourcesPath
  return environment.STRATA_GUEST ?? (packaged && !packaged.includes('node_modules') ? join(packaged, 'guest') : join(dirname(__dirname), 'guest'))
}

/** The ring's programs: among the packaged app's resources beside the guest, in a clone where `make` puts them (out/guest -> native/bin). */
function ringFolder(environment: NodeJS.ProcessEnv, builtinGuest: string): string {
  const packaged = join(dirname(builtinGuest), 'ring')
  return environment.STRATA_RING ?? (builtinGuest.endsWith(join('out', 'guest')) ? join(dirname(dirname(builtinGuest)), 'native', 'bin') : packaged)
}

/**
 * Opens the library that the environment names, takes charge of the machines that run, and offers every operation.
 * @throws library-owned when another process has it, and what else keeps a library from being opened
 */
export async function openCore(given: Partial<CoreOptions> = {}): Promise<OwnedCore> {
  const environment = given.environment ?? process.env
  const builtinGuest = given.builtinGuest ?? defaultGuest(environment)
  const library = await openLibrary(environment)
  try {
    const events = new Events(library.owner)
    const context = await openContext(library, events, environment, builtinGuest)
    return offer(context, events)
  } catch (error) {
    library.release()
    throw error
  }
}

/** Numbers what changes, and tells everybody. */
class Events {
  private sequence = 0
  private readonly listeners = new Set<(event: Event) => void>()
  constructor(private readonly owner: string) {}
  readonly tell = (change: Change): void => {
    const event: Event = { ...change, owner: this.owner, sequence: ++this.sequence }
    for (const listener of [...this.listeners]) listener(event)
  }
  listen(listener: (event: Event) => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }
}

async function openContext(library: Library, { tell }: Events, environment: NodeJS.ProcessEnv, builtinGuest: string): Promise<Context> {
  const { paths } = library
  const [settings, host] = await Promise.all([
    SettingsStore.open(paths.settings, (changed) => tell({ kind: 'settings-changed', settings: changed })),
    HostWatch.open({ libraryPath: paths.root, builtinGuest, cacheFile: paths.capabilitiesCache, environment }, (changed) => tell({ kind: 'host-changed', host: changed }))
  ])
  const machines = new Machines(library, {
    defaultAccelerator: () => host.value.accelerator,
    onDidChange: (machine) => {
      tell({ kind: 'machine-changed', machine })
      shares.noteMachine(machine.id)
    },
    onDidRemove: (id) => {
      tell({ kind: 'machine-removed', id })
      standbys.end(id)
      labs.noteRemoved(id)
    }
  })
  const shares = new Shares(library, machines, {
    onDidChange: (share) => tell({ kind: 'share-changed', share }),
    onDidRemove: (id) => tell({ kind: 'share-removed', id })
  })
  const snapshots: Snapshots = new Snapshots(library, machines, {
    host: () => host.value,
    onDidChange: (snapshot) => tell({ kind: 'snapshot-changed', snapshot }),
    onDidRemove: (id) => tell({ kind: 'snapshot-removed', id })
  })
  const standbys: Standbys = new Standbys(library, snapshots, () => host.value)
  const labs: Labs = new Labs(library, machines, snapshots, {
    onDidChange: (lab) => tell({ kind: 'lab-changed', lab }),
    onDidRemove: (id) => tell({ kind: 'lab-removed', id })
  })
  const images = new Images(library, {
    builtinGuest,
    usedBy: (imageId) => [...machines.usersOfImage(imageId), ...snapshots.usersOfImage(imageId)],
    onDidChange: (image) => tell({ kind: 'image-changed', image }),
    onDidRemove: (id) => tell({ kind: 'image-removed', id })
  })
  const ring = new Ring(paths.ring, ringFolder(environment, builtinGuest), (view) => tell({ kind: 'ring-changed', ring: view }))
  const store = new Store(paths.store, (standard) => ({ ...standard, chunkBytes: settings.value.storeChunkBytes }), () => tell({ kind: 'store-changed' }))
  const tasks = new Tasks(new TaskJournal(paths.tasks), (task) => tell({ kind: 'task-changed', task }))
  await Promise.all([machines.load().then(() => shares.load()), images.load(), snapshots.load(), labs.load(), tasks.recall()])
  const traces = new Traces(machines)
  await standbys.tidy()
  void traces.tidy()
  await resumeInterrupted(machines)
  const context: Context = {
    library,
    machines,
    images,
    snapshots,
    standbys,
    labs,
    shares,
    store,
    ring,
    tasks,
    traces,
    host,
    settings,
    api: { tcp: { enabled: false, reason: 'it is off in the settings' } }
  }
  await removeHalfMade(context)
  finishAllPending(context)
  for (const { id, memory, archive } of snapshots.all()) if (memory && !archive) archiveLater(id, context)
  return context
}

const handlers: Handlers<OperationName> = {
  ...machineHandlers,
  ...guestHandlers,
  ...imageHandlers,
  ...diskHandlers,
  ...overlayHandlers,
  ...traceHandlers,
  ...storeHandlers,
  ...ringHandlers,
  ...taskHandlers,
  ...hostHandlers,
  ...shareHandlers,
  ...snapshotHandlers,
  ...labHandlers
}

function offer(context: Context, events: Events): OwnedCore {
  const closing = new AbortController()
  setMaxListeners(0, closing.signal) // as many wait for a task or look at something as there are faces
  return {
    owner: context.library.owner,
    library: context.library,
    api: context.api,
    call: (name, input) =>
      asResult(() => {
        if (!isOperationName(name)) throw failure('unknown-operation', `There is no operation “${name}”.`, { operation: name })
        const checked = checkedInput(operations[name].input, input)
        return (handlers[name] as Handler<OperationName>)(checked, context, closing.signal)
      }),
    openStream: (name, input) =>
      asResult<Duplex>(() => {
        if (!isStreamName(name)) throw failure('unknown-operation', `There is no stream “${name}”.`, { operation: name })
        const checked = checkedInput(streams[name], input)
        return openStream(name, checked as never, context.machines)
      }),
    onEvent: (listener) => events.listen(listener),
    close: async (graceMs = 10_000) => {
      await endTasks(context, graceMs)
      await context.machines.tidied
      closing.abort()
      await context.traces.close()
      context.host.close()
      context.ring.leave()
      context.snapshots.release()
      await context.standbys.release()
      await context.shares.release()
      context.machines.release()
      await context.store.close()
      context.library.release()
    }
  }
}

/** Waits for what runs; what takes longer is cancelled, so that it cleans up. */
async function endTasks({ tasks }: Context, graceMs: number): Promise<void> {
  await Promise.all(tasks.running().map((task) => tasks.wait(task.id, graceMs)))
  for (const task of tasks.running()) if (task.state.kind === 'running' && task.state.cancellable) tasks.cancel(task.id)
  await Promise.all(tasks.running().map((task) => tasks.wait(task.id, graceMs)))
}

/** Where the core ends, an expected failure becomes a value, and so does a bug. */
async function asResult<T>(act: () => Promise<T> | T): Promise<Result<T>> {
  try {
    return { ok: true, value: await act() }
  } catch (thrown) {
    return { ok: false, error: toAppError(thrown) }
  }
}
