import { toAppError, type AppError, type Settings } from '#contract'
import type { OwnedCore } from '#core/index'
import { serveApi, type Api } from './api'
import { ensureToken } from './token'

export interface OwnedApiOptions {
  version: string
  /** Loopback TCP could not be switched on, now or later; the Unix socket serves on. `api.show` tells the reason too. */
  onTcpError?(error: AppError): void
  /** Loopback TCP was switched on, off, or to another port. */
  onTcpChanged?(): void
}

/**
 * Serves an opened library as its settings say: on the Unix socket always, on loopback TCP while that is switched on. Follows the
 * settings until it is closed, and tells `core.api` where it listens. Close it before the core.
 * @throws file
 */
export async function serveOwned(core: OwnedCore, options: OwnedApiOptions): Promise<Api> {
  const { library } = core
  const api = await serveApi(core, { socketPath: library.runtime.ownerSocket, version: options.version, control: { file: library.runtime.controlPorts, token: () => ensureToken(library.paths.apiToken) } })
  let applied: Settings['apiTcp'] = { enabled: false, port: 0 }

  const apply = async ({ apiTcp }: Settings): Promise<void> => {
    if (apiTcp.enabled === applied.enabled && (apiTcp.port === applied.port || !apiTcp.enabled)) return
    applied = apiTcp
    try {
      await api.setTcp(apiTcp.enabled ? { port: apiTcp.port, token: await ensureToken(library.paths.apiToken) } : null)
      core.api.tcp = api.address.tcp ? { enabled: true, url: api.address.tcp.url } : { enabled: false, reason: 'it is off in the settings' }
    } catch (thrown) {
      const error = toAppError(thrown)
      core.api.tcp = { enabled: false, reason: error.message }
      options.onTcpError?.(error)
    }
    options.onTcpChanged?.()
  }
  // One change after the other, in their order.
  let last = Promise.resolve()
  const unsubscribe = core.onEvent((event) => {
    if (event.kind === 'settings-changed') last = last.then(() => apply(event.settings))
  })
  const settings = await core.call('settings.show', {})
  if (settings.ok) last = last.then(() => apply(settings.value as Settings))
  else options.onTcpError?.(settings.error)
  await last
  return {
    get address() {
      return api.address
    },
    setTcp: (tcp) => api.setTcp(tcp),
    retire: () => api.retire(),
    idle: () => api.idle(),
    async close() {
      unsubscribe()
      await last
      await api.close()
    }
  }
}
