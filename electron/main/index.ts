import path from 'node:path'
import { app, protocol, session } from 'electron'
import { libraryPaths, libraryRoot, runtimeRoot } from '#core/library/paths'
import { startBackstage } from './backstage'
import { readFlags, type Flags } from './flags'
import { openLog, type Log } from './log'
import { SCHEME } from './origin'
import { serveBundle } from './protocol'
import { openWindow } from './window'

/**
 * The app starts here. The order is for speed: the window is created and loads its page before the core and the schema library
 * are even read from disk; so nothing that is imported here, or by what is imported here, may import those at its top.
 */
const library = libraryRoot(process.env)
if (!app.commandLine.hasSwitch('user-data-dir')) {
  // One profile a library: so there is one window a library, and each remembers its own place.
  app.setPath('userData', path.join(app.getPath('appData'), 'strata', path.basename(runtimeRoot(process.env, library))))
}
protocol.registerSchemesAsPrivileged([
  { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } }
])

if (app.requestSingleInstanceLock()) void main(readFlags(process.argv), openLog(libraryPaths(library).logs))
else app.exit(0) // The window that is already open comes to the front.

async function main(flags: Flags, log: Log): Promise<void> {
  catchBugs(log)
  await app.whenReady()
  const answer = serveBundle(path.join(__dirname, '../renderer'))
  protocol.registerFileProtocol(SCHEME, (request, send) => send(answer(request)))
  refusePermissions()
  const facts = { version: app.getVersion(), electron: process.versions.electron, playTour: flags.tour, still: flags.still }
  const window = openWindow({ stateFile: path.join(app.getPath('userData'), 'window.json'), facts, log })
  log.info(`Strata ${facts.version}, Electron ${facts.electron}, library ${library}`)
  startBackstage({ window, flags, log, version: facts.version })
}

/** The page needs none: no camera, no notifications, no clipboard behind the user's back. */
function refusePermissions(): void {
  session.defaultSession.setPermissionRequestHandler((_page, _permission, decide) => decide(false))
  session.defaultSession.setPermissionCheckHandler(() => false)
  session.defaultSession.setDevicePermissionHandler(() => false)
}

/** An exception that nobody expected leaves the process in an unknown state: it is logged, and the app ends. Machines run on. */
function catchBugs(log: Log): void {
  process.on('uncaughtException', (thrown) => {
    log.error('a mistake in Strata', thrown)
    app.exit(1)
  })
  process.on('unhandledRejection', (thrown) => {
    log.error('a mistake in Strata', thrown)
    app.exit(1)
  })
}
