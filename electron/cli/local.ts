import { openCore, type OwnedCore } from '#core/index'
import type { Task } from '#contract'
import { serveApi } from '../server/api'
import type { Backend, OpeningOptions } from './backend'

/** Another command that asks in the last moment gets its answer. */
const LINGER_MS = 20
/** A shorter wait is not worth a line. */
const WORTH_TELLING_MS = 1000

/**
 * Opens the core here, and serves its socket, so that others can work with the library while this command does.
 * @param onWaiting tasks that others started here are still running when this command is done
 * @throws Failure library-owned, and whatever keeps a library from being opened
 */
export async function openHere({ version, environment, builtinGuest }: OpeningOptions, onWaiting: (tasks: Task[]) => void): Promise<Backend> {
  const core = await openCore({ environment, builtinGuest })
  try {
    const api = await serveApi(core, { socketPath: core.library.runtime.ownerSocket, version })
    core.api.tcp = { enabled: false, reason: 'only the window and strata serve listen on TCP, and neither runs' }
    return {
      runs: 'here',
      pid: process.pid,
      version,
      attempt: async (name, input) => ({ kind: 'answered', result: await core.call(name, input) }),
      openStream: (name, input) => core.openStream(name, input),
      follow: async (listener) => {
        const unsubscribe = core.onEvent(listener)
        // These events end only with this process.
        return { ended: new Promise(() => {}), end: unsubscribe }
      },
      async close() {
        await api.retire()
        await waitForTasks(core, onWaiting)
        await new Promise((resolve) => setTimeout(resolve, LINGER_MS))
        await api.close()
        await core.close()
      }
    }
  } catch (error) {
    await core.close(0)
    throw error
  }
}

/** No new ones can come: the API has been retired. */
async function waitForTasks(core: OwnedCore, onWaiting: (tasks: Task[]) => void): Promise<void> {
  const listed = await core.call('task.list', {})
  const running = listed.ok ? (listed.value as Task[]).filter((task) => task.state.kind === 'running') : []
  if (running.length === 0) return
  const timer = setTimeout(() => onWaiting(running), WORTH_TELLING_MS)
  await Promise.all(running.map((task) => core.call('task.wait', { taskId: task.id })))
  clearTimeout(timer)
}
