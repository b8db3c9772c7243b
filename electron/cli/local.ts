import { openCore, type OwnedCore } from '#core/index'
import type { Task } from '#contract'
import { serveApi, type Api } from '../server/api'
import type { Backend, OpeningOptions } from './backend'

/** Another command that asks in the last moment gets its answer. */
const LINGER_MS = 20
/** A shorter wait is not worth a line. */
const WORTH_TELLING_MS = 1000

/**
 * Opens the core here, and serves its socket, so that others can work with the library while this command does.
 * @param onWaiting this command is done, and waits for what others have begun here: the titles of their tasks
 * @throws Failure library-owned, and whatever keeps a library from being opened
 */
export async function openHere({ version, environment, builtinGuest }: OpeningOptions, onWaiting: (titles: string[]) => void): Promise<Backend> {
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
        await waitForOthers(core, api, onWaiting)
        await api.close()
        await core.close()
      }
    }
  } catch (error) {
    await core.close(0)
    throw error
  }
}

/** Nothing new can be begun: the API has been retired. */
async function waitForOthers(core: OwnedCore, api: Api, onWaiting: (titles: string[]) => void): Promise<void> {
  const listed = await core.call('task.list', {})
  const running = listed.ok ? (listed.value as Task[]).filter((task) => task.state.kind === 'running') : []
  const timer = setTimeout(() => onWaiting(running.map((task) => task.title)), WORTH_TELLING_MS)
  await Promise.all(running.map((task) => core.call('task.wait', { taskId: task.id })))
  // Whoever started one of them may be about to ask how it ended.
  await new Promise((resolve) => setTimeout(resolve, LINGER_MS))
  await api.idle()
  clearTimeout(timer)
}
