import type { AppError } from '#contract'
import type { OwnedCore } from '#core/index'
import type { Api } from '../server/api'
import type { OpeningOptions } from './backend'
import { NoConnection } from './session'
import { onEndRequest } from './signals'
import type { Run } from './tasks'
import { formatError } from './terminal'

/** Tasks that run when it is ended get so long. */
const GRACE_MS = 10_000

/** Owns the library and serves its API, without a window, until it is ended. */
export async function runServe(run: Run, { version, environment, builtinGuest }: OpeningOptions): Promise<number> {
  const [{ openCore }, { serveOwned }, { toAppError }] = await Promise.all([import('#core/index'), import('../server/owned'), import('#contract')])
  const { terminal, options } = run
  const tell = (error: AppError): void => terminal.error(formatError(error, options.verbose, terminal.errorPaint))
  let core: OwnedCore
  try {
    core = await openCore({ environment, builtinGuest })
  } catch (thrown) {
    throw new NoConnection(toAppError(thrown))
  }
  let api: Api | null = null
  try {
    const served = await serveOwned(core, { version, onTcpError: tell, onTcpChanged: () => api && !options.json && terminal.error(tcpLine(core) + '\n') })
    api = served
    const { library } = core
    if (options.json) await terminal.out(JSON.stringify({ pid: process.pid, library: library.paths.root, socketPath: served.address.socketPath, tcp: core.api.tcp }) + '\n')
    else await terminal.out(`Strata ${version} serves ${library.paths.root}\nSocket: ${served.address.socketPath}\n${tcpLine(core)}\nCtrl+C ends it; machines run on.\n`)
    await endRequest(terminal.isErrorTerminal ? () => terminal.error('Ending; running tasks get a moment. Ctrl+C again does not wait.\n') : () => {})
  } finally {
    // Whoever waits for a task here still gets its answer; new work is refused.
    await api?.retire()
    await core.close(GRACE_MS)
    await api?.close()
  }
  return 0
}

const tcpLine = ({ api, library }: OwnedCore): string =>
  api.tcp.enabled ? `HTTP: ${api.tcp.url}, its token is in ${library.paths.apiToken}` : `HTTP: off: ${api.tcp.reason}. Switch it on: strata settings edit --api-tcp`

/** The second request does not wait for the end. */
function endRequest(say: () => void): Promise<void> {
  return new Promise((resolve) => {
    let asked = false
    onEndRequest((code) => {
      if (asked) process.exit(code)
      asked = true
      say()
      resolve()
    })
  })
}
